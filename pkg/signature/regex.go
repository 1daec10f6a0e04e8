package signature

// Regexes are the expressions of a set of rules, compiled when they are first needed. They belong to one engine.
type Regexes struct {
	list     []string // flags/expression: Symbols.Regexes
	compiled []*regex
}

// NewRegexes numbers expressions: Symbols.Regexes.List.
func NewRegexes(list []string) *Regexes {
	return &Regexes{list: list, compiled: make([]*regex, len(list))}
}

// regex is a compiled expression.
type regex struct{}
