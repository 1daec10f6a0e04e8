package rulecaptures

// basic is a question with HTTP basic credentials, in base64.
func basic(pair string) string { return get("/index.html", "authorization: basic "+pair) }

// asked is a conversation of n equal questions and answers.
func asked(n int, question, response string) func(*Scene) {
	var turns []Turn
	for range n {
		turns = append(turns, ask(question), answer(response))
	}
	return talk(80, turns...)
}

const (
	adminAdmin  = "YWRtaW46YWRtaW4="     // admin:admin
	viewerOther = "dmlld2VyOlMzY3IzdA==" // viewer:S3cr3t
)

func credentialStories() []Story {
	denied := response("401 Unauthorized", "text/html", "no", `WWW-Authenticate: Basic realm="IP Camera"`)
	accepted := response("200 OK", "text/html", "<html>OK</html>")
	fault := response("400 Bad Request", "application/soap+xml",
		envelope("", `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code></s:Fault>`))
	profiles := soap(wsse, "http://www.onvif.org/ver10/media/wsdl", "GetProfiles", "")
	rtspBasic := func(pair string) string { return video("DESCRIBE", stream, 2, "Authorization: Basic "+pair) }
	return []Story{
		{SID: 9300500, Attack: asked(1, basic(adminAdmin), denied), Clean: asked(1, basic(viewerOther), accepted)},
		{
			SID: 9300501, Also: map[uint32]int{9300500: 1}, Attack: asked(1, basic(adminAdmin), accepted),
			Clean: asked(1, basic(viewerOther), accepted),
		},
		{
			SID: 9300502, Attack: talk(554, ask(rtspBasic(adminAdmin)), reply("401 Unauthorized", 2)),
			Clean: talk(554, ask(rtspBasic(viewerOther)), reply("200 OK", 2)),
		},
		{
			SID: 9300503, Attack: asked(6, get("/ISAPI/System/status", digest), denied),
			Clean: func(s *Scene) { // digest begins with a refusal every time
				for range 6 {
					s.Talk(vms, camera, 80, ask(get("/ISAPI/System/status")), answer(denied), ask(get("/ISAPI/System/status", digest)), answer(accepted))
				}
			},
		},
		{SID: 9300504, Attack: asked(6, profiles, fault), Clean: asked(2, profiles, fault)},
	}
}
