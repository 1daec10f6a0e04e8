package event

// Types of anomalies: Suricata's words for where one was found, and ours for the box itself.
const (
	AnomalyDecode = "decode" // in a frame
	AnomalyStream = "stream"
	AnomalyBox    = "box" // in the gateway: a full disk, a cut log, a worker that broke its contract
)

// Anomaly says that something is not as it must be.
type Anomaly struct {
	Header
	Type   string // AnomalyDecode, AnomalyStream, AnomalyBox: EVE's anomaly.type
	Event  string // a fixed word, such as log_cut or ipc_violation
	Text   string // a sentence for people
	Object string // what it concerns: a file, a process, an interface
	Offset int64  // of log_cut: where the last good record ends, bytes
	Count  uint64 // what was lost or is concerned: bytes of log_cut, records of records_lost
}

// EventType is TypeAnomaly.
func (*Anomaly) EventType() Type { return TypeAnomaly }

func (a *Anomaly) wire(c *coder) {
	c.text(&a.Type, maxName)
	c.text(&a.Event, maxName)
	c.text(&a.Text, maxText)
	c.text(&a.Object, maxText)
	u64(c, &a.Offset)
	u64(c, &a.Count)
}

// anomalyBody is EVE's anomaly object.
type anomalyBody struct {
	Type  string `json:"type"`
	Event string `json:"event"`
}

type anomalyOurs struct {
	Bridge string `json:"bridge,omitempty"`
	Text   string `json:"text,omitempty"`
	Object string `json:"object,omitempty"`
	Offset int64  `json:"offset,omitempty"`
	Count  uint64 `json:"count,omitempty"`
}

func (a *Anomaly) eve(l *line) {
	l.Anomaly = anomalyBody{a.Type, a.Event}
	l.Ours = anomalyOurs{a.Bridge, a.Text, a.Object, a.Offset, a.Count}
}
