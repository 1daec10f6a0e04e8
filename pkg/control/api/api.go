// Package api is what citygate-control says on its Unix socket: the JSON bodies of /v1, shared by the server, the
// command line (these are the keys of its --json) and the lab. It imports no parser.
package api

import (
	"fmt"
	"net/netip"
	"time"
)

// Socket is the name of the API's Unix socket in run_dir.
const Socket = "citygate.sock"

// InterfacesEnv tells a citygate-control that is started in the sandbox, to answer once, which interfaces the machine has,
// separated by commas.
const InterfacesEnv = "CITYGATE_INTERFACES"

// MaxPolicy is the longest policy text, bytes; MaxBody the longest request body: such a text as a JSON string.
const (
	MaxPolicy = 4 << 20
	MaxBody   = 2*MaxPolicy + 64<<10
)

// ProblemType is the media type of an error body (RFC 9457).
const ProblemType = "application/problem+json"

// Problem is an error body (RFC 9457). Errors lists what is wrong with a policy, one line each.
type Problem struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Errors []PolicyError `json:"errors,omitempty"`
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// Status is GET /v1/status.
type Status struct {
	Site      string       `json:"site"`
	Version   string       `json:"version"`
	State     string       `json:"state"` // ok | degraded
	Degraded  []Degraded   `json:"degraded"`
	Started   time.Time    `json:"started"` // of this control process
	Bridges   []Bridge     `json:"bridges"`
	Policy    PolicyInfo   `json:"policy"`
	Processes []Process    `json:"processes"`
	Devices   DeviceTotals `json:"devices"`
	Frames    FrameTotals  `json:"frames"`
	Blocks    int          `json:"blocks"`
	Journal   Journal      `json:"journal"`
}

// Degraded is one thing that is not as it should be.
type Degraded struct {
	What   string `json:"what"` // policy | guard | ports | journal | inventory | state | process
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// Bridge is one pair of ports.
type Bridge struct {
	Name       string `json:"name"`
	Mode       string `json:"mode"`    // monitor | enforce
	Inspect    string `json:"inspect"` // off | on
	OnFailure  string `json:"on_failure"`
	OnOverload string `json:"on_overload"`
	Generation uint32 `json:"generation"` // of the policy in force
	Ports      []Port `json:"ports"`
}

// Port is a bridge port as the guard sees it.
type Port struct {
	Name      string   `json:"name"`
	Side      string   `json:"side"` // camera | server
	XDP       string   `json:"xdp"`  // native | generic | none
	Up        bool     `json:"up"`
	MTU       uint32   `json:"mtu"`
	SpeedMbps uint32   `json:"speed_mbps,omitempty"`
	Faults    []string `json:"faults"` // settings that are not as inline needs them
}

// PolicyInfo says which policy is running.
type PolicyInfo struct {
	Source       string    `json:"source"` // file | applied | none
	File         string    `json:"file,omitempty"`
	Hash         string    `json:"hash"`       // sha256 of the text, hex
	Generation   uint32    `json:"generation"` // in the kernel
	Applied      time.Time `json:"applied,omitzero"`
	By           string    `json:"by,omitempty"` // uid and name of who applied it
	Reason       string    `json:"reason,omitempty"`
	Devices      int       `json:"devices"`
	Rules        int       `json:"rules"`
	Entries      int       `json:"entries"` // compiled (device, device, service) keys
	ConfirmBy    time.Time `json:"confirm_by,omitzero"`
	PreviousHash string    `json:"previous_hash,omitempty"` // what comes back unless confirmed
}

// Process is a process of the gateway.
type Process struct {
	Name     string `json:"name"`
	State    string `json:"state"` // running | gone
	Restarts uint32 `json:"restarts"`
	LastExit string `json:"last_exit,omitempty"`
}

// DeviceTotals counts identities.
type DeviceTotals struct {
	Listed    int    `json:"listed"`    // named by the policy
	Seen      int    `json:"seen"`      // in the inventory
	Unknown   int    `json:"unknown"`   // seen but not listed
	Uncounted uint64 `json:"uncounted"` // first sights that found the inventory full
}

// FrameTotals are the kernel's counters added up.
type FrameTotals struct {
	Passed    uint64 `json:"passed"`
	Dropped   uint64 `json:"dropped"`
	WouldDrop uint64 `json:"would_drop"` // monitor mode
	Lost      uint64 `json:"lost"`       // passed, but the other port could not take it
}

// Journal is the state of the event log.
type Journal struct {
	Written    uint64 `json:"written"`
	Suppressed uint64 `json:"suppressed"`
	Lost       uint64 `json:"lost"`
	DiskFull   bool   `json:"disk_full"`
	LastError  string `json:"last_error,omitempty"`
}

// Device is a row of the inventory, an entry of the policy, or both.
type Device struct {
	Name            string            `json:"name,omitempty"` // the policy's, else the operator's
	Role            string            `json:"role,omitempty"`
	Listed          bool              `json:"listed"`
	Number          uint16            `json:"number,omitempty"` // in the kernel's tables
	MAC             string            `json:"mac,omitempty"`    // none for devices behind a router
	VLAN            string            `json:"vlan,omitempty"`
	IPs             []string          `json:"ips"`
	Via             string            `json:"via,omitempty"`
	Bridge          string            `json:"bridge,omitempty"`
	Port            string            `json:"port,omitempty"` // camera | server
	Vendor          string            `json:"vendor,omitempty"`
	Evidence        []string          `json:"evidence,omitempty"`
	Tags            []string          `json:"tags,omitempty"`
	FirstSeen       time.Time         `json:"first_seen,omitzero"`
	LastSeen        time.Time         `json:"last_seen,omitzero"`
	PassFrames      uint64            `json:"pass_frames"` // sent by it
	PassBytes       uint64            `json:"pass_bytes"`
	DropFrames      uint64            `json:"drop_frames"`
	WouldDropFrames uint64            `json:"would_drop_frames"`
	Drops           map[string]uint64 `json:"drops,omitempty"` // by reason
}

// Devices is GET /v1/devices.
type Devices struct {
	Devices   []Device `json:"devices"`
	Uncounted uint64   `json:"uncounted"`
}

// DeviceChange is PUT /v1/devices/{mac}[?vlan=...]: the operator's own name and tags of a device that was seen.
type DeviceChange struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

// Flow is one direction of a flow that the kernel holds.
type Flow struct {
	Bridge     string    `json:"bridge"`
	SrcIP      string    `json:"src_ip"`
	SrcPort    uint16    `json:"src_port"`
	DestIP     string    `json:"dest_ip"`
	DestPort   uint16    `json:"dest_port"`
	Proto      string    `json:"proto"`
	VLAN       string    `json:"vlan"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Service    string    `json:"service"`
	Rule       string    `json:"rule"` // file:line of the policy
	Reply      bool      `json:"reply"`
	Generation uint32    `json:"generation"`
	Frames     uint64    `json:"frames"`
	Bytes      uint64    `json:"bytes"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
}

// Flows is GET /v1/flows?limit=N. More says that the limit cut the list.
type Flows struct {
	Flows []Flow `json:"flows"`
	More  bool   `json:"more"`
}

// Counters is GET /v1/counters: per bridge, every reason that counted a frame.
type Counters struct {
	Bridges []BridgeCounters `json:"bridges"`
}

// BridgeCounters counts the frames of a bridge.
type BridgeCounters struct {
	Bridge  string        `json:"bridge"`
	Reasons []ReasonCount `json:"reasons"`
	Losses  []LossCount   `json:"losses"` // what FrameTotals.Lost adds up
	FrameTotals
}

// ReasonCount counts what left for one reason.
type ReasonCount struct {
	Reason    string `json:"reason"`
	Text      string `json:"text"`
	Verdict   string `json:"verdict"` // pass | drop | punt
	Frames    uint64 `json:"frames"`
	Bytes     uint64 `json:"bytes"`
	WouldDrop uint64 `json:"would_drop"`
}

// LossCount is a loss outside the program: the devmap's or the XDP sockets'.
type LossCount struct {
	What   string `json:"what"`
	Frames uint64 `json:"frames"`
}

// Block is a pair that the operator blocks in both directions, over any policy. Until zero is for ever.
type Block struct {
	Src    netip.Addr `json:"src"`
	Dst    netip.Addr `json:"dst"`
	Until  time.Time  `json:"until,omitzero"`
	Reason string     `json:"reason,omitempty"`
	By     string     `json:"by,omitempty"`
	Since  time.Time  `json:"since,omitzero"`
	Hits   uint64     `json:"hits"` // frames that it stopped since the gateway's start
}

// Blocks is GET /v1/blocks.
type Blocks struct {
	Blocks []Block `json:"blocks"`
}

// BlockRequest is POST /v1/blocks. DurationS zero is for ever.
type BlockRequest struct {
	Src       netip.Addr `json:"src"`
	Dst       netip.Addr `json:"dst"`
	DurationS uint32     `json:"duration_s"`
	Reason    string     `json:"reason"`
}

// Policy is GET /v1/policy: the running text and its lines as people read them.
type Policy struct {
	PolicyInfo
	Text     string   `json:"text"`
	Rendered []string `json:"rendered"` // one line per device, group, service and rule
	Warnings []string `json:"warnings"`
}

// PolicyError is one thing that is wrong with a config or a policy.
type PolicyError struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"`
	Key     string `json:"key"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy,omitempty"`
}

func (e PolicyError) String() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	s += ": " + e.Problem
	if e.Remedy != "" {
		s += " (" + e.Remedy + ")"
	}
	return s
}

// PolicyRequest is the body of POST /v1/policy/check, diff and apply.
type PolicyRequest struct {
	Text           string `json:"text"`
	File           string `json:"file"`                       // its name in errors
	Reason         string `json:"reason,omitempty"`           // why, for the audit log
	ConfirmWithinS uint32 `json:"confirm_within_s,omitempty"` // 0 = final at once
	DryRun         bool   `json:"dry_run,omitempty"`          // check and diff only
}

// PolicyCheck is the answer of policy/check, and of `citygate policy check --json`.
type PolicyCheck struct {
	OK      bool          `json:"ok"`
	File    string        `json:"file"`
	Errors  []PolicyError `json:"errors"`
	Devices int           `json:"devices"`
	Rules   int           `json:"rules"`
	Entries int           `json:"entries"`
	// Warnings are lines that allow nothing, and bindings that cannot be used.
	Warnings []string `json:"warnings"`
}

// PolicyDiff is the answer of policy/diff: what the text would change in the running policy.
type PolicyDiff struct {
	Same    bool     `json:"same"`
	From    string   `json:"from"` // hash
	To      string   `json:"to"`
	Summary string   `json:"summary"` // such as: 2 added, 1 removed, 1 changed
	Changes []Change `json:"changes"`
}

// Change is a device, group, service or line that differs.
type Change struct {
	Op   string `json:"op"` // + | - | ~
	Text string `json:"text"`
}

// PolicyApply is the answer of policy/apply and policy/confirm.
type PolicyApply struct {
	Applied   bool       `json:"applied"` // false for a dry run
	Policy    PolicyInfo `json:"policy"`
	Diff      PolicyDiff `json:"diff"`
	ConfirmBy time.Time  `json:"confirm_by,omitzero"`
	Warnings  []string   `json:"warnings"`
}

// Why is GET /v1/why?src=&src_port=&dst=&dst_port=&proto=[&vlan=]: what happens to a frame of this five-tuple now.
type Why struct {
	SrcIP    string `json:"src_ip"`
	SrcPort  uint16 `json:"src_port"`
	DestIP   string `json:"dest_ip"`
	DestPort uint16 `json:"dest_port"`
	Proto    string `json:"proto"`
	VLAN     string `json:"vlan"`
	Verdict  string `json:"verdict"` // pass | drop
	Mode     string `json:"mode"`    // in monitor mode a drop is only marked
	Reason   string `json:"reason"`
	Text     string `json:"text"` // the reason in a sentence
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Service  string `json:"service,omitempty"`
	Rule     *Rule  `json:"rule,omitempty"`
	Reply    bool   `json:"reply"` // passes as the answer of a flow that the other end opens
	Flow     *Flow  `json:"flow,omitempty"`
	Block    *Block `json:"block,omitempty"`
	// Drops counts, by reason, the frames of the sender that were dropped.
	Drops  map[string]uint64 `json:"drops,omitempty"`
	Change string            `json:"change,omitempty"` // the YAML that would change the verdict
}

// Rule is the policy line that decides.
type Rule struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Text     string `json:"text"`     // as it stands in the YAML file
	Rendered string `json:"rendered"` // as policy show renders it
}

// Check is one finding of doctor.
type Check struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok | warn | fail | unknown
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// Doctor is GET /v1/doctor (what the gateway sees), and `citygate doctor --json` (that and what the command sees).
type Doctor struct {
	Healthy bool    `json:"healthy"`
	Checks  []Check `json:"checks"`
}

// Verified is `citygate log verify --json`.
type Verified struct {
	OK      bool         `json:"ok"`
	Records uint64       `json:"records"`
	Classes []LogVerdict `json:"classes"`
}

// LogVerdict is what was found in the log of one event class.
type LogVerdict struct {
	Class   string `json:"class"`
	Records uint64 `json:"records"`
	First   uint64 `json:"first"` // sequence number
	Last    uint64 `json:"last"`
	Head    string `json:"head"` // hash of the chain, hex
	Error   string `json:"error,omitempty"`
}

// Paths is where a gateway keeps its things, as its config says.
type Paths struct {
	Site     string   `json:"site"`
	Policy   string   `json:"policy"`
	StateDir string   `json:"state_dir"`
	LogDir   string   `json:"log_dir"`
	RunDir   string   `json:"run_dir"`
	BPFDir   string   `json:"bpf_dir"`
	Bridges  []Bridge `json:"bridges"`
}
