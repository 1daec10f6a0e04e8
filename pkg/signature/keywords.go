package signature

// keywords is the table of all keywords but the sticky buffers, which are layer's table of buffers. A keyword's number in a
// compiled set of rules is its place here.
var keywords = []*Keyword{
	// On values: content stands first (kindContent).
	&content, &uricontent, &nocase, &rawbytes, &startsWith, &endsWith, &contentOffset, &contentDepth, &contentDistance,
	&contentWithin, &fastPattern, &contentReplace,

	&dsize,
	&msg,
	&sid,
	&rev,
	&gid,
	&classtype,
	&priority,
	&reference,
	&metadata,
	&target,
	&noalert,
	&alerts,
	&requires,
	&flowState,
	&threshold,
	&detectionFilter,
}
