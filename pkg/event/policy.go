package event

import "encoding/hex"

// What a Policy event reports.
const (
	PolicyApplied   = "applied"
	PolicyConfirmed = "confirmed"
	PolicyReverted  = "reverted" // nobody confirmed in time, or on request
	PolicyRefused   = "refused"
)

// Policy says what became of a policy.
type Policy struct {
	Header
	Action     string   // PolicyApplied, ...
	Generation uint32   // that is active afterwards
	Hash       [32]byte // SHA-256 of the policy file
	Entries    uint32   // compiled (device, device, service) keys
	Who        string   // user name or number; "boot" at start
	Summary    string   // what changed, or why it was refused
}

// EventType is TypePolicy.
func (*Policy) EventType() Type { return TypePolicy }

func (p *Policy) wire(c *coder) {
	c.text(&p.Action, maxName)
	u32(c, &p.Generation)
	for i := range p.Hash {
		u8(c, &p.Hash[i])
	}
	u32(c, &p.Entries)
	c.text(&p.Who, maxName)
	c.text(&p.Summary, 2*maxText)
}

type policyOurs struct {
	Policy policyBody `json:"policy"`
}

type policyBody struct {
	Action     string `json:"action"`
	Generation uint32 `json:"generation"`
	Hash       string `json:"hash"`
	Entries    uint32 `json:"entries"`
	Who        string `json:"who"`
	Summary    string `json:"summary,omitempty"`
}

func (p *Policy) eve(l *line) {
	l.Ours = policyOurs{policyBody{p.Action, p.Generation, hex.EncodeToString(p.Hash[:]), p.Entries, p.Who, p.Summary}}
}
