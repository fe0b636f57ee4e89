package server_test

import (
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

// TestValidateIsWhatTheConfigurationSays asks for a format that no guide has; the sandbox is the judge unless told otherwise.
func TestValidateIsWhatTheConfigurationSays(t *testing.T) {
	for mode, counted := range map[string]bool{"": true, "report": true, "strict": true, "off": false} {
		t.Run(mode, func(t *testing.T) {
			c := completed(t, config.SandboxUpstream)
			c.Validate = mode
			g := start(t, server.Options{Config: c})
			status, body := g.get(t, g.HTTPAddr()+"/api/rainbow/admin/v1.0/users?format=tiny")
			if strict := strings.Contains(body, `must be in list [small, medium, full]`); strict != (mode == "strict") || strict && status != 400 {
				t.Errorf("got %d %s", status, body)
			}
			_, metrics := g.get(t, g.AdminAddr()+"/metrics")
			const line = `gateway_violations_total{field="format",rpc="rainbow.admin.v1.UsersService/ListUsers",rule="string.in"} 1`
			if strings.Contains(metrics, line) != counted {
				t.Errorf("counted is %t, want %t", !counted, counted)
			}
		})
	}
}
