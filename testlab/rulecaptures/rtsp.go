package rulecaptures

import (
	"fmt"
	"strings"
)

const (
	stream  = "rtsp://192.168.64.10/stream1"
	player  = "User-Agent: LibVLC/3.0.18 (LIVE555 Streaming Media v2016.11.28)"
	refusal = `WWW-Authenticate: Digest realm="IP Camera", nonce="4f1c9d"`
	answers = `Authorization: Digest username="viewer", realm="IP Camera", nonce="4f1c9d", uri="rtsp://192.168.64.10/stream1", response="6629fae49393a05397450978507c4ef1"`
	secret  = "Authorization: Basic dmlld2VyOlMzY3IzdA=="
)

// video is a request of a player.
func video(method, uri string, cseq int, headers ...string) string {
	return fmt.Sprintf("%s %s RTSP/1.0\r\nCSeq: %d\r\n%s\r\n", method, uri, cseq, lines(append(headers, player)))
}

// camera's answer to it.
func reply(status string, cseq int, headers ...string) Turn {
	return answer(fmt.Sprintf("RTSP/1.0 %s\r\nCSeq: %d\r\n%s\r\n", status, cseq, lines(headers)))
}

func lines(headers []string) (b string) {
	for _, h := range headers {
		b += h + "\r\n"
	}
	return b
}

// framed is interleaved media (RFC 2326, 10.12).
func framed(channel byte, data string) string {
	return fmt.Sprintf("$%c%c%c", channel, len(data)>>8, byte(len(data))) + data
}

// Media of a session: a piece of video, and what its receiver reports (RFC 3550).
const (
	rtp  = "\x80\x60\x00\x01\x00\x00\x00\x01\x12\x34\x56\x78video"
	rtcp = "\x80\xc9\x00\x01\x12\x34\x56\x78"
)

const description = "v=0\r\no=- 1 1 IN IP4 192.168.64.10\r\ns=Media\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"

// watch is a session as players have it, from the refusal of its first question to its end.
func watch(s *Scene) {
	s.Talk(vms, camera, 554,
		ask(video("OPTIONS", stream, 1)), reply("200 OK", 1, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"),
		ask(video("DESCRIBE", stream, 2, "Accept: application/sdp")), reply("401 Unauthorized", 2, refusal),
		ask(video("DESCRIBE", stream, 3, "Accept: application/sdp", answers)),
		answer(fmt.Sprintf("RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(description), description)),
		ask(video("SETUP", stream+"/trackID=0", 4, answers, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")),
		reply("200 OK", 4, "Session: 66334873;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"),
		ask(video("PLAY", stream, 5, answers, "Session: 66334873", "Range: npt=0.000-")), reply("200 OK", 5, "Session: 66334873"),
		answer(framed(0, rtp)+framed(0, rtp)), ask(framed(1, rtcp)),
		ask(video("GET_PARAMETER", stream, 6, answers, "Session: 66334873")), reply("200 OK", 6, "Session: 66334873"),
		ask(video("TEARDOWN", stream, 7, answers, "Session: 66334873")), reply("200 OK", 7),
	)
}

// begin is the start of a session: a refusal, and the question again with credentials.
func begin(s *Scene) {
	s.Talk(vms, camera, 554, ask(video("DESCRIBE", stream, 1)), reply("401 Unauthorized", 1, refusal),
		ask(video("DESCRIBE", stream, 2, answers)), reply("200 OK", 2))
}

// times plays a scene again and again.
func times(n int, play func(*Scene)) func(*Scene) {
	return func(s *Scene) {
		for range n {
			play(s)
		}
	}
}

// tries is a conversation of n requests that are all answered alike.
func tries(n int, status string, uri func(i int) string, headers ...string) func(*Scene) {
	var turns []Turn
	for i := 1; i <= n; i++ {
		turns = append(turns, ask(video("DESCRIBE", uri(i), i, headers...)), reply(status, i, refusal))
	}
	return talk(554, turns...)
}

func same(int) string              { return stream }
func others(i int) string          { return fmt.Sprintf("rtsp://192.168.64.10/live%d", i) }
func once(req string) func(*Scene) { return talk(554, ask(req), reply("400 Bad Request", 1)) }

// both are an attack, and a session with a question of the same kind but without its sting.
func both(sid uint32, attack, harmless string) Story {
	return Story{SID: sid, Attack: once(attack), Clean: func(s *Scene) {
		once(harmless)(s)
		watch(s)
	}}
}

func rtspStories() []Story {
	hidden := video("TEARDOWN", stream, 9, "Session: 66334873")
	setup := func(transport string) string { return video("SETUP", stream+"/trackID=0", 1, "Transport: "+transport) }
	parameter := func(headers, body string) string {
		return "SET_PARAMETER " + stream + " RTSP/1.0\r\nCSeq: 1\r\n" + headers + "\r\n" + body
	}
	return []Story{
		{SID: 9300100, Attack: tries(6, "401 Unauthorized", same, answers), Clean: times(6, begin)},
		{SID: 9300101, Attack: tries(16, "401 Unauthorized", same, secret), Clean: times(10, begin)},
		{SID: 9300102, Attack: tries(16, "400 Bad Request", same), Clean: tries(4, "400 Bad Request", same)},
		{SID: 9300103, Attack: tries(11, "404 Not Found", others), Clean: tries(3, "404 Not Found", others)},
		both(9300104, video("SETUP", stream+strings.Repeat("A", 600), 1), video("SETUP", stream+strings.Repeat("A", 300), 1)),
		both(9300105, video("PLAY", stream, 7, "Authorization: Basic "+strings.Repeat("A", 700)), video("PLAY", stream, 7, secret)),
		both(9300106, "OPTIONS "+stream+" RTSP/1.0\r\nCSeq: ;"+strings.Repeat("A", 200)+"\r\n\r\n", video("OPTIONS", stream, 2147483647)),
		both(9300107, parameter("Content-Length: 2100\r\n", strings.Repeat("A", 2100)), parameter("Content-Length: 100\r\n", strings.Repeat("A", 100))),
		both(9300110, "DESCRIBE "+stream+" RTSP/9.9\r\nCSeq: 1\r\n\r\n", "DESCRIBE "+stream+" RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
		both(9300111, "DESCRIBE "+stream+" RTSP/1.0\r\nCSeq: 1\r\nAAAA\r\n\r\n", "DESCRIBE "+stream+" RTSP/1.0\r\nCSeq: 1\r\nAAAA: 1\r\n\r\n"),
		both(9300112, video("DESCRIBE", stream, 1, "Range: "+strings.Repeat("A", 5000)), video("DESCRIBE", stream, 1, "Range: npt="+strings.Repeat("0", 300))),
		both(9300113, video("DESCRIBE", stream, 1, strings.Split(strings.Repeat("A: 1,", 140), ",")[:140]...), video("DESCRIBE", stream, 1, strings.Split(strings.Repeat("A: 1,", 30), ",")[:30]...)),
		both(9300114, parameter("Content-Length: -1\r\n", ""), parameter("Content-Length: 0\r\n", "")),
		both(9300115, parameter("Content-Length: 500\r\n", "a: 1\r\n"+hidden), parameter("Content-Length: 6\r\n", "a: 1\r\n")),
		{
			SID: 9300116, Clean: watch,
			Attack: talk(554, ask(setup("RTP/AVP/TCP;unicast;interleaved=0-1")), reply("200 OK", 1, "Session: 66334873"),
				ask(fmt.Sprintf("$\x01%c%c", 2, 0)+hidden), reply("200 OK", 9)),
		},
		both(9300117, "OPTIONS / RTSP/1.0\r\n\r\n", "OPTIONS / RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
		both(9300120, "OPTIONS "+stream+" RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: zgrab/0.x\r\n\r\n", "OPTIONS "+stream+" RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Lavf59.27.100\r\n\r\n"),
		both(9300121, video("OPTIONS", "rtsp://example.com", 1), video("OPTIONS", "rtsp://192.168.64.10/example.com", 1)),
		both(9300122, setup("RTP/AVP;unicast;destination=203.0.113.9;client_port=5000-5001"), setup("RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001")),
		both(9300123, "ANNOUNCE "+stream+" RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n", video("DESCRIBE", stream+"/RECORD", 1)),
	}
}
