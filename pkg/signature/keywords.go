package signature

// keywords is the table of all keywords but the sticky buffers, which are layer's table of buffers. A keyword's number in a
// compiled set of rules is its place here.
var keywords = []*Keyword{
	&dsize,
}
