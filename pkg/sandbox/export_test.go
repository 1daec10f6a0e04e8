package sandbox

// The inside of a filter, for the tests beside the profiles.
const (
	OffCall  = offCall
	OffArch  = offArch
	OffArgs  = offArgs
	X32Bit   = x32Bit
	GoThread = goThread
	LowWord  = lowWord
	HighWord = highWord
	Allowed  = allowed
	Refused  = refused
	EPERM    = eperm
	Killed   = killed
)

// Filter is the program of a profile.
var Filter = Profile.filter

// Listed are the calls that a profile has rules for.
func Listed(p Profile) map[uint32]bool {
	listed := map[uint32]bool{}
	for _, r := range append(p.Calls, runtimeCalls...) {
		listed[r.call] = true
	}
	return listed
}
