package rtsp

import (
	"bytes"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/line"
	"citygate/pkg/flow"
)

// probe knows RTSP by a first line: of a client a request for an rtsp URI or with RTSP's version, of a server a status.
func probe(d flow.Direction, data []byte) layer.Answer {
	data = bytes.TrimLeft(data, "\r\n")
	if d == flow.ToClient {
		return status(data)
	}
	method, _ := word(data)
	if len(method) > maxMethod || len(method) > 0 && !token(method) {
		return layer.No
	}
	if rest := data[len(method):]; known(method) && (line.Starts(rest, " rtsp://") || line.Starts(rest, " rtsps://") || line.Starts(rest, " rtspu://")) {
		return layer.Yes
	}
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return layer.More
	}
	text := bytes.TrimRight(data[:i], " \t\r")
	if n := len(text) - len("RTSP/1.0"); n > len(method) && line.Starts(text[n:], "rtsp/") {
		return layer.Yes
	}
	return layer.No
}

func status(data []byte) layer.Answer {
	const mark = "rtsp/"
	switch {
	case line.Starts(data, mark):
		return layer.Yes
	case len(data) < len(mark) && line.Starts(data, mark[:len(data)]):
		return layer.More
	}
	return layer.No
}
