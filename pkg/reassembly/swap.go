package reassembly

// Swap turns the session round: what was sent to the server was sent to the client. For a session that was picked up in
// its middle, when its bytes tell who is the server.
func (s *Session) Swap() { s.streams[0], s.streams[1] = s.streams[1], s.streams[0] }
