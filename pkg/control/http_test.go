package control

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"citygate/pkg/control/api"
)

func (b *box) request(method, path, body string) (*http.Response, string) {
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Result(), w.Body.String()
}

func policyJSON(t *testing.T, text string) string {
	t.Helper()
	b, err := json.Marshal(api.PolicyRequest{Text: text, File: "new.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHTTP(t *testing.T) {
	good, bad := policyJSON(t, otherPolicy), policyJSON(t, badPolicy)
	for _, c := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"GET", "/v1/status", "", 200, `"site":"school-14"`},
		{"GET", "/v1/devices", "", 200, `"name":"lobby-1"`},
		{"PUT", "/v1/devices/02:00:00:00:00:99", `{"name":"x","tags":[]}`, 404, "was never seen"},
		{"PUT", "/v1/devices/xyz", `{"name":"x"}`, 400, "six bytes in hex"},
		{"PUT", "/v1/devices/02:00:00:00:00:99?vlan=5000", `{"name":"x"}`, 400, "vlan"},
		{"GET", "/v1/flows", "", 200, `{"flows":[],"more":false}`},
		{"GET", "/v1/flows?limit=0", "", 400, "limit"},
		{"GET", "/v1/counters", "", 200, `"bridge":"cctv"`},
		{"GET", "/v1/blocks", "", 200, `{"blocks":[]}`},
		{"POST", "/v1/blocks", `{"src":"10.0.0.1","dst":"10.0.0.2","duration_s":60,"reason":"x"}`, 200, `"by":"uid 65534"`},
		{"POST", "/v1/blocks", `{"src":"10.0.0.1","dst":"10.0.0.2","for_ever":true}`, 400, "unknown field"},
		{"POST", "/v1/blocks", `{"src":"camera"}`, 400, "not valid"},
		{"DELETE", "/v1/blocks?src=10.0.0.1&dst=10.0.0.3", "", 404, "not blocked"},
		{"DELETE", "/v1/blocks?src=x&dst=10.0.0.3", "", 400, "src"},
		{"GET", "/v1/policy", "", 200, `"rendered":["device`},
		{"POST", "/v1/policy/check", good, 200, `"ok":true`},
		{"POST", "/v1/policy/check", bad, 200, `"ok":false`},
		{"POST", "/v1/policy/diff", good, 200, `"same":false`},
		{"POST", "/v1/policy/diff", bad, 422, `"errors":[{"file":"new.yaml","line":1`},
		{"POST", "/v1/policy/apply", bad, 422, `"title":"the policy has errors"`},
		{"POST", "/v1/policy/apply", good, 200, `"applied":true`},
		{"POST", "/v1/policy/apply", `{"text":"", "confirm_within_s": 90000}`, 400, "more than a day"},
		{"POST", "/v1/policy/apply", `{"file":"a\u001b[2J"}`, 400, "no terminal"},
		{"POST", "/v1/policy/confirm", "{}", 409, "no policy waits"},
		{"POST", "/v1/policy/check", `{"text":"` + strings.Repeat("x", api.MaxBody) + `"}`, 413, "too large"},
		{"GET", "/v1/why?src=10.0.0.2&src_port=40000&dst=10.0.0.11&dst_port=554&proto=tcp", "", 200, `"verdict":"pass"`},
		{"GET", "/v1/why?src=10.0.0.2&dst=10.0.0.11&dst_port=70000&proto=tcp", "", 400, "70000"},
		{"GET", "/v1/why?src=10.0.0.2&dst=10.0.0.11&proto=quic", "", 400, "quic"},
		{"GET", "/v1/doctor", "", 200, `"healthy":false`},
		{"GET", "/v2/status", "", 404, "no path of this API"},
		{"DELETE", "/v1/policy", "", 404, "DELETE /v1/policy"},
	} {
		t.Run(c.method+" "+c.path+" "+c.body[:min(len(c.body), 40)], func(t *testing.T) {
			r, body := newBox(t, goodPolicy).request(c.method, c.path, c.body)
			if r.StatusCode != c.status || !strings.Contains(body, c.has) {
				t.Errorf("got %d %.400s", r.StatusCode, body)
			}
			want := "application/json"
			if c.status >= 400 {
				want = api.ProblemType
				var p api.Problem
				if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != c.status || p.Title == "" {
					t.Errorf("problem %+v, %v", p, err)
				}
			}
			if got := r.Header.Get("Content-Type"); got != want {
				t.Errorf("media type %s", got)
			}
		})
	}
}

func TestProblemOfGuard(t *testing.T) {
	b := newBox(t, goodPolicy)
	b.guard.fail = errNoAnswer
	if r, body := b.request("POST", "/v1/policy/apply", policyJSON(t, otherPolicy)); r.StatusCode != 504 {
		t.Errorf("got %d %s", r.StatusCode, body)
	}
	b.guard.fail = errors.New("the guard refused: table full")
	if r, body := b.request("POST", "/v1/policy/apply", policyJSON(t, otherPolicy)); r.StatusCode != 500 || !strings.Contains(body, "table full") {
		t.Errorf("got %d %s", r.StatusCode, body)
	}
}

// The page lists every path, and no other.
func TestAPIReference(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/api.md")
	if err != nil {
		t.Fatal(err)
	}
	routes := newBox(t, goodPolicy).routes()
	for _, r := range routes {
		if !strings.Contains(string(page), "| `"+r.pattern) {
			t.Errorf("docs/reference/api.md does not list %s", r.pattern)
		}
	}
	if n := strings.Count(string(page), "/v1/"); n < len(routes) {
		t.Errorf("%d paths in the page, %d in the API", n, len(routes))
	}
}
