package signature

// KeywordNames are the names of all keywords by their numbers: the vocabulary of a compiled set of rules.
func KeywordNames() []string {
	names := make([]string, len(keywords))
	for i, k := range keywords {
		names[i] = k.Name
	}
	return names
}

// Needs says whether a signature has a match of a keyword on the packet.
func Needs(s *Signature, name string) bool {
	for _, m := range s.Packet {
		if keywords[m.Kind].Name == name {
			return true
		}
	}
	return false
}
