package contract_test

import (
	"encoding/json"

	"github.com/rainbow-gateway/rainbow-gateway/sandboxtest"
)

// inventory lists what the contract company of a sandbox has, one line each.
func (s *session) inventory() []string {
	s.t.Helper()
	s.token = s.rainbow.Token(s.account.login)
	cloud := voice + "/cloudpbxs/" + sandboxtest.CloudPbxID
	var lines []string
	for _, path := range []string{
		admin + "/users?format=small&limit=1000", cloud + "/devices?limit=1000", cloud + "/phone-numbers/ddi?limit=1000", cloud + "/numbering-plan",
		cloud + "/ivrs/welcomes", cloud + "/ivrs/welcomeservices", cloud + "/greetings", cloud + "/recordings?limit=1000", cloud,
		licence + "/companies/" + sandboxtest.CompanyID + "/subscriptions",
	} {
		var answer struct{ Data json.RawMessage }
		if err := json.Unmarshal(s.get(path).body, &answer); err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
		var list []json.RawMessage
		if json.Unmarshal(answer.Data, &list) != nil {
			list = []json.RawMessage{answer.Data}
		}
		for _, element := range list {
			lines = append(lines, path+" "+string(element))
		}
	}
	return lines
}

// requests lists what the sandbox was asked.
func (s *session) requests() []sandboxtest.Request {
	return s.rainbow.Requests(sandboxtest.Journal{Limit: 10_000})
}
