package sandboxtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/rainbow-gateway/rainbow-gateway/sandboxtest"
)

const ddis = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/" + sandboxtest.CloudPbxID + "/phone-numbers/ddi"

// call is what the code under test would do.
func call(rainbow *sandboxtest.Server, method, path, body string) (int, map[string]any) {
	req, err := http.NewRequest(method, rainbow.URL+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+rainbow.Token(sandboxtest.AdminLogin))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		panic(err)
	}
	return resp.StatusCode, answer
}

// In a test, Start(t) ends the server with the test.
func Example() {
	rainbow := sandboxtest.New(sandboxtest.SeedUsers(5))
	defer rainbow.Close()

	status, answer := call(rainbow, "POST", ddis, `{"number":"0298300777"}`)
	fmt.Println(status, answer["data"].(map[string]any)["numberE164"])
	status, answer = call(rainbow, "POST", ddis, `{"number":"0298300777"}`)
	fmt.Println(status, answer["errorDetails"])
	for _, r := range rainbow.Requests(sandboxtest.Journal{Method: "POST", Path: ddis}) {
		fmt.Println(r.Method, r.Status, r.Bytes)
	}
	// Output:
	// 200 +33298300777
	// 409 DDI number +33298300777 already exists
	// POST 200 23
	// POST 409 23
}

// A fault meets the code under test where it hurts.
func ExampleServer_SetFaults() {
	rainbow := sandboxtest.New()
	defer rainbow.Close()

	rainbow.SetFaults(sandboxtest.Fault{Path: "/api/rainbow/rvcpprovisioning/**", Status: 503, RetryAfter: 2, Times: 1})
	for range 2 {
		status, _ := call(rainbow, "GET", ddis, "")
		fmt.Println(status)
	}
	fmt.Println(rainbow.FaultCounts()[0].Hits)

	rainbow.SetFaultRules("operation: ListDdis, status: 429, retryAfter: 1") // as the flag --fault of gateway sandbox
	status, _ := call(rainbow, "GET", ddis, "")
	fmt.Println(status)
	// Output:
	// 503
	// 200
	// 1
	// 429
}

// One prepared world serves many tests, in TestMain for instance.
func ExampleServer_Restore() {
	rainbow := sandboxtest.New()
	defer rainbow.Close()
	call(rainbow, "POST", ddis, `{"number":"0298300777"}`) // the preparation
	rainbow.Snapshot("prepared")

	for range 2 {
		rainbow.Restore("prepared")
		_, answer := call(rainbow, "POST", ddis, `{"number":"0298300778"}`)
		fmt.Println(answer["data"].(map[string]any)["id"])
	}
	_, answer := call(rainbow, "GET", ddis, "")
	fmt.Println(answer["total"])
	// Output:
	// 5b7d0c0ffee40000000000de
	// 5b7d0c0ffee40000000000de
	// 102
}

// Roles differ in what they may do.
func ExampleServer_Account() {
	rainbow := sandboxtest.New()
	defer rainbow.Close()

	partner := rainbow.Account("bp_finance")
	fmt.Println(partner.Login, partner.Roles, "of", partner.CompanyName)
	fmt.Println(rainbow.Token(partner.Login) != rainbow.Token(sandboxtest.SeedLogin(1)))
	// Output:
	// bpfinance@vad.example [bp_finance] of Valor Distribution
	// true
}
