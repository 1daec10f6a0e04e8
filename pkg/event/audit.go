package event

// Results of an audited request.
const (
	AuditAllowed = "allowed"
	AuditDenied  = "denied"
	AuditFailed  = "failed"
)

// Audit says who asked for what, and what came of it.
type Audit struct {
	Header
	UID    uint32 // of the caller, by SO_PEERCRED
	Who    string // the caller's name, if it has one
	Verb   string // such as apply, block, lift
	Object string // such as policy, block 10.0.0.9
	Result string // AuditAllowed, ...
	Reason string // the caller's reason, or why it was denied
}

// EventType is TypeAudit.
func (*Audit) EventType() Type { return TypeAudit }

func (a *Audit) wire(c *coder) {
	u32(c, &a.UID)
	c.text(&a.Who, maxName)
	c.text(&a.Verb, maxName)
	c.text(&a.Object, maxText)
	c.text(&a.Result, maxName)
	c.text(&a.Reason, 2*maxText)
}

type auditOurs struct {
	Audit auditBody `json:"audit"`
}

type auditBody struct {
	UID    uint32 `json:"uid"`
	Who    string `json:"who,omitempty"`
	Verb   string `json:"verb"`
	Object string `json:"object,omitempty"`
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
}

func (a *Audit) eve(l *line) {
	l.Ours = auditOurs{auditBody{a.UID, a.Who, a.Verb, a.Object, a.Result, a.Reason}}
}
