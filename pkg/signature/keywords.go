package signature

// keywords is the table of all keywords but the sticky buffers, which are layer's table of buffers. A keyword's number in a
// compiled set of rules is its place here.
var keywords = []*Keyword{
	// On values: content and pcre stand first (kindContent, kindPCRE).
	&content, &pcre, &uricontent, &nocase, &rawbytes, &startsWith, &endsWith, &contentOffset, &contentDepth, &contentDistance,
	&contentWithin, &fastPattern, &contentReplace,
	&byteTest, &byteJump, &byteExtract, &byteMath, &isDataAt, &bsize, &urilen, &absent, &base64Decode, &asn1, &rpc,
	&dotPrefix, &stripWhitespace, &compressWhitespace, &toLowercase, &toUppercase, &urlDecode, &headerLowercase, &stripPseudoHeaders,
	&toMD5, &toSHA1, &toSHA256, &xor, &fromBase64, &gunzip, &zlibDeflate, &pcreXform,

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
	&tag, &prefilterAdvice, &bypass,

	&flowbits, &flowint, &xbits, &hostbits, &streamSize,
	&flowAge, &flowPkts, &flowPktsS, &flowPktsC, &flowBytes, &flowBytesS, &flowBytesC,
	&appLayerProtocol, &appLayerEvent, &decodeEvent, &streamEvent,
	&tcpFlags, &tcpSeq, &tcpAck, &tcpWindow, &tcpMSS, &tcpScale,
	&ttl, &ipID, &tos, &sameIP, &fragOffset, &fragBits, &ipOpts, &ipProto,
	&icmpType, &icmpCode, &icmpID, &icmpSeq, &icmpMTU, &igmpType,
	&ipv4Checksum, &tcpv4Checksum, &tcpv6Checksum, &udpv4Checksum, &udpv6Checksum, &icmpv4Checksum, &icmpv6Checksum, &igmpChecksum,
	&vlanID, &vlanLayers,
	&dnsOpcode, &dnsRCode, &dnsRRType, &modbusRequest, &ftpBounce,
	&tlsVersion, &sslVersion, &sslState, &certNotBefore, &certNotAfter, &certExpired, &certValid, &certChain,

	refusedLua, refusedLuaxform, refusedDataset, refusedDatarep, refusedIprep, refusedGeoip, refusedFilestore, refusedFilemagic,
	refusedFilesize, refusedFilemd5, refusedFilesha1, refusedFilesha256, refusedTLSStore, refusedFrame, refusedState,
	refusedMark,
}
