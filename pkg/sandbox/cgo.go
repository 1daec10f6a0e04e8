//go:build cgo

package sandbox

// withCgo: the C library makes threads in its own way, which the filter does not let live.
const withCgo = true
