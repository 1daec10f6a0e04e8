package reassembly

import "fmt"

// Policy says whose copy of a byte wins where pieces of a datagram or of a stream overlap: that is how the stack of the
// host that gets them decides (Novak, Target-Based Fragmentation Reassembly, 2005). Fragments and TCP segments read it
// each in their own way.
type Policy uint8

// The policies. The zero value keeps what came first.
const (
	PolicyFirst   Policy = iota // the copy that came first
	PolicyLast                  // the copy that came last
	PolicyBSD                   // BSD, AIX, IRIX, VMS, older Apple systems
	PolicyLinux                 // Linux 2.4 and later
	PolicyWindows               // Windows
	PolicySolaris               // Solaris
	policies
)

var policyNames = [policies]string{"first", "last", "bsd", "linux", "windows", "solaris"}

func (p Policy) String() string {
	if p < policies {
		return policyNames[p]
	}
	return fmt.Sprintf("policy %d", uint8(p))
}

// ParsePolicy is the policy of a name that String gives.
func ParsePolicy(name string) (Policy, error) {
	for p, n := range policyNames {
		if n == name {
			return Policy(p), nil
		}
	}
	return 0, fmt.Errorf("overlap policy %q is none of first, last, bsd, linux, windows, solaris", name)
}

// newer says whether a fragment takes the bytes that it shares with an older one; lo and hi are the ranges that both had
// on the wire. In the words of Novak's paper: BSD keeps a fragment that begins before or with the new one, Linux one that
// begins before it. Windows and Solaris keep what they have unless the new one holds all of it: Windows if it also begins
// before and ends after, Solaris if it begins before.
func (p Policy) newer(f *fragment, old fragSpan) bool {
	switch p {
	case PolicyLast:
		return true
	case PolicyBSD:
		return f.lo < old.lo
	case PolicyLinux:
		return f.lo <= old.lo
	case PolicyWindows:
		return f.lo < old.lo && f.hi > old.hi
	case PolicySolaris:
		return f.lo < old.lo && f.hi >= old.hi
	}
	return false
}
