package sandbox

import "golang.org/x/sys/unix"

// Watch has no files but mapFiles. It maps the ring buffers that the guard gave it and reads maps.
func Watch() Profile {
	return Profile{
		Name:      "watch",
		ReadFile:  mapFiles,
		Calls:     join(mapCalls, call(allowed, unix.SYS_OPENAT), []rule{{unix.SYS_MMAP, []condition{noExec}, allowed}}),
		Isolated:  true,
		OpenFiles: 64,
		Exceptions: map[string]string{
			"write_pkt":        "it logs by write; it is given no packet socket",
			"mmap_file_shared": "ring buffers are mapped shared; it can open no file to write",
		},
	}
}
