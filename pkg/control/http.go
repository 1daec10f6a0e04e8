package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/flow"
	"citygate/pkg/flow/notation"
	"citygate/pkg/policy"

	"golang.org/x/sys/unix"
)

// Bounds of one request. Who may connect is root or a member of the group citygate.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 40 * time.Second // an apply may wait for the guard
	maxHeader    = 16 << 10
)

// Server answers on the API's socket.
func (c *Control) Server() *http.Server {
	return &http.Server{
		Handler:           c.Handler(),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       readTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       peerContext,
	}
}

// Handler is the API without its socket; docs/reference/api.md lists the same paths.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range c.routes() {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) {
			req.Body = http.MaxBytesReader(w, req.Body, api.MaxBody)
			out, err := r.answer(req)
			if err != nil {
				reply(w, problemOf(err))
				return
			}
			reply(w, out)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, problemOf(fmt.Errorf("%w: %s %s is no path of this API", errNotFound, r.Method, r.URL.Path)))
	})
	return mux
}

type route struct {
	pattern string
	answer  func(*http.Request) (any, error)
}

func (c *Control) routes() []route {
	return []route{
		{"GET /v1/status", func(r *http.Request) (any, error) { return c.Status(r.Context()), nil }},
		{"GET /v1/devices", func(*http.Request) (any, error) { return c.Devices(), nil }},
		{"PUT /v1/devices/{mac}", c.putDevice},
		{"GET /v1/flows", c.getFlows},
		{"GET /v1/counters", func(*http.Request) (any, error) { return c.Counters() }},
		{"GET /v1/blocks", func(*http.Request) (any, error) { return c.BlocksWithHits() }},
		{"POST /v1/blocks", c.postBlock},
		{"DELETE /v1/blocks", c.deleteBlock},
		{"GET /v1/policy", func(*http.Request) (any, error) { return c.Policy(), nil }},
		{"POST /v1/policy/check", c.postCheck},
		{"POST /v1/policy/diff", c.postDiff},
		{"POST /v1/policy/apply", c.postApply},
		{"POST /v1/policy/confirm", func(r *http.Request) (any, error) { return c.Confirm(caller(r)) }},
		{"GET /v1/why", c.getWhy},
		{"GET /v1/doctor", func(r *http.Request) (any, error) { return c.Doctor(r.Context()), nil }},
	}
}

func reply(w http.ResponseWriter, v any) {
	status, media := http.StatusOK, "application/json"
	if p, ok := v.(*api.Problem); ok {
		status, media = p.Status, api.ProblemType
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the caller has gone: there is nobody to tell
}

// problemOf turns an error into an answer, in one place.
func problemOf(err error) *api.Problem {
	p := &api.Problem{Type: "about:blank", Title: "the gateway could not do it", Status: http.StatusInternalServerError, Detail: err.Error()}
	var errs policy.Errors
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &errs):
		p.Title, p.Status, p.Detail, p.Errors = "the policy has errors", http.StatusUnprocessableEntity, "", policyErrors(errs)
	case errors.As(err, &tooLarge):
		p.Title, p.Status = "the request is too large", http.StatusRequestEntityTooLarge
	case errors.Is(err, errNotFound):
		p.Title, p.Status = "not found", http.StatusNotFound
	case errors.Is(err, errInvalid):
		p.Title, p.Status = "the request is not valid", http.StatusBadRequest
	case errors.Is(err, errConflict):
		p.Title, p.Status = "not possible now", http.StatusConflict
	case errors.Is(err, errNoAnswer):
		p.Title, p.Status = "the guard does not answer", http.StatusGatewayTimeout
	}
	return p
}

type peerKey struct{}

// peerContext notes who is at the other end of a connection.
func peerContext(ctx context.Context, conn net.Conn) context.Context {
	who := Caller{UID: nobody}
	if u, ok := conn.(*net.UnixConn); ok {
		if raw, err := u.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
					who.UID = cred.Uid
				}
			})
		}
	}
	return context.WithValue(ctx, peerKey{}, who)
}

// nobody is the uid of a caller that the kernel does not name.
const nobody = 65534

func caller(r *http.Request) Caller {
	who, ok := r.Context().Value(peerKey{}).(Caller)
	if !ok {
		return Caller{UID: nobody}
	}
	return who
}

// body reads a JSON request strictly.
func body(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: read the request: %w", errInvalid, err)
	}
	return nil
}

func parsePort(s string) (uint16, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("port %q is not between 0 and 65535", s)
	}
	return uint16(n), nil
}

func (c *Control) putDevice(r *http.Request) (any, error) {
	var change api.DeviceChange
	mac, err := flow.ParseMAC(r.PathValue("mac"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	vlan, err := notation.ParseVLAN(r.URL.Query().Get("vlan"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	if err := body(r, &change); err != nil {
		return nil, err
	}
	return c.NameDevice(caller(r), mac, vlan, change)
}

func (c *Control) getFlows(r *http.Request) (any, error) {
	limit := 100
	if s := r.URL.Query().Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxFlows {
			return nil, fmt.Errorf("%w: limit %q is not between 1 and %d", errInvalid, s, maxFlows)
		}
		limit = n
	}
	return c.Flows(limit)
}

func (c *Control) getWhy(r *http.Request) (any, error) {
	q := r.URL.Query()
	t, vlan, err := question(q.Get("src"), q.Get("src_port"), q.Get("dst"), q.Get("dst_port"), q.Get("proto"), q.Get("vlan"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return c.Why(t, vlan), nil
}
