// Package profile says what each worker of a gateway may do. The processes with privilege do not import it.
package profile

import (
	"path/filepath"

	"citygate/pkg/sandbox"
)

// Boot reads the config file and writes the boot record to its output, once.
func Boot(config string) sandbox.Profile {
	return sandbox.Profile{
		Name:      "boot",
		Read:      []string{filepath.Dir(config)},
		Calls:     sandbox.FileCalls,
		Isolated:  true,
		OpenFiles: 32,
		Exceptions: map[string]string{
			"write_pkt": "it writes the record to a pipe; it is given no packet socket",
		},
	}
}
