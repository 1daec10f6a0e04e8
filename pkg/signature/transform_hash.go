package signature

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
)

// The hashes of a value, as bytes.
var (
	toMD5 = plainTransform("to_md5", "the value's MD5, 16 bytes", func(in, out []byte) []byte {
		h := md5.Sum(in)
		return append(out, h[:]...)
	})
	toSHA1 = plainTransform("to_sha1", "the value's SHA-1, 20 bytes", func(in, out []byte) []byte {
		h := sha1.Sum(in)
		return append(out, h[:]...)
	})
	toSHA256 = plainTransform("to_sha256", "the value's SHA-256, 32 bytes", func(in, out []byte) []byte {
		h := sha256.Sum256(in)
		return append(out, h[:]...)
	})
)
