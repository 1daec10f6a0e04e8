package profile

import "citygate/pkg/sandbox"

// InspectUID is the user that citygate-inspect runs as when root starts it from the command line: of its own, and below
// those of a gateway's processes (config's uid_base).
const InspectUID = 47099

// Inspect works on descriptors that it was given: it reads a capture and rules, writes one file and answers. It has no
// file to open, no network and no process to reach. person: it was started without root.
func Inspect(descriptors int, person bool) sandbox.Profile {
	return sandbox.Profile{
		Name:      "inspect",
		Isolated:  true,
		Person:    person,
		Output:    true,
		OpenFiles: uint64(descriptors) + 32, // the runtime's own
		Exceptions: map[string]string{
			"write_pkt": "it writes events and its answer to descriptors; it is given no packet socket",
		},
	}
}
