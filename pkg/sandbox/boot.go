package sandbox

import "path/filepath"

// Boot reads the config file and writes the boot record to its output, once.
func Boot(config string) Profile {
	return Profile{
		Name:      "boot",
		Read:      []string{filepath.Dir(config)},
		Calls:     fileCalls,
		Isolated:  true,
		OpenFiles: 32,
		Exceptions: map[string]string{
			"write_pkt": "it writes the record to a pipe; it is given no packet socket",
		},
	}
}
