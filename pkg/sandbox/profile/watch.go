package profile

import (
	"slices"

	"golang.org/x/sys/unix"

	"citygate/pkg/sandbox"
)

// Watch has no files but mapFiles. It maps the ring buffers that the guard gave it and reads maps.
func Watch() sandbox.Profile {
	return sandbox.Profile{
		Name:      "watch",
		ReadFile:  mapFiles,
		Calls:     slices.Concat(mapCalls, sandbox.Allow(unix.SYS_OPENAT), sandbox.SharedMemory),
		Isolated:  true,
		OpenFiles: 64,
		Exceptions: map[string]string{
			"write_pkt":        "it logs by write; it is given no packet socket",
			"mmap_file_shared": "ring buffers are mapped shared; it can open no file to write",
		},
	}
}
