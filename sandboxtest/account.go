package sandboxtest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// The seeded world: accounts, application, companies and PBXs. They are the
// same in every world.
const (
	AdminLogin    = sandbox.AdminLogin    // company_admin of the contract company
	AdminPassword = sandbox.AdminPassword // of every account of Accounts
	UserPassword  = sandbox.UserPassword  // of every seeded user, see SeedLogin

	AppID     = sandbox.AppID
	AppSecret = sandbox.AppSecret
	AppToken  = sandbox.AppToken // of the header APIKey

	CompanyID           = sandbox.CompanyID           // the contract company, which holds the seeded users
	NeighbourCompanyID  = sandbox.NeighbourCompanyID  // what the administrator of CompanyID must not reach
	DistributorID       = sandbox.DistributorID       // BP VAD
	ResellerID          = sandbox.ResellerID          // BP DR, the partner of CompanyID
	IndirectResellerID  = sandbox.IndirectResellerID  // BP IR of the VAD
	VineyardCompanyID   = sandbox.VineyardCompanyID   // customer of the VAD
	IslandCompanyID     = sandbox.IslandCompanyID     // customer of the IR
	SubsidiaryCompanyID = sandbox.SubsidiaryCompanyID // customer of the DR, with two sites

	CloudPbxID    = sandbox.CloudPbxID    // the Cloud PBX of CompanyID
	EquippedPbxID = sandbox.EquippedPbxID // its equipped PBX
)

// SeedLogin is the login of seeded user n, counted from 1; his password is
// UserPassword.
func SeedLogin(n int) string { return sandbox.SeedLogin(n) }

// Account is a seeded account that stands for a role.
type Account struct {
	Login, Password string
	Roles           []string // company_admin, bp_finance, ...
	CompanyID       string
	CompanyName     string
}

// Accounts lists the seeded accounts by company and login. The seeded users
// are not among them.
func (s *Server) Accounts() []Account {
	var list []Account
	for _, a := range s.sandbox.Accounts() {
		list = append(list, Account(a))
	}
	return list
}

// Account answers the first account that has a role.
func (s *Server) Account(role string) Account {
	s.tb.Helper()
	list := s.Accounts()
	i := slices.IndexFunc(list, func(a Account) bool { return slices.Contains(a.Roles, role) })
	if i < 0 {
		s.tb.Fatalf("sandboxtest: no seeded account has the role %q", role)
	}
	return list[i]
}

// Token signs a seeded account or a seeded user in, as a client would, and
// answers his bearer token. The login stands in the journal.
func (s *Server) Token(login string) string {
	s.tb.Helper()
	password := AdminPassword
	var n int
	if _, err := fmt.Sscanf(login, "user%06d@", &n); err == nil && login == SeedLogin(n) {
		password = UserPassword
	}
	token, err := s.signIn(login, password)
	s.must(err)
	return token
}

func (s *Server) signIn(login, password string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/rainbow/authentication/v1.0/login", nil)
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(login, password)
	req.Header.Set("x-rainbow-app-auth", AppAuth(password))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct {
		Token        string
		ErrorDetails any
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("login of %s: status %d: %w", login, resp.StatusCode, err)
	}
	if answer.Token == "" {
		return "", fmt.Errorf("login of %s: status %d: %v", login, resp.StatusCode, answer.ErrorDetails)
	}
	return answer.Token, nil
}

// AppAuth is the value of the header x-rainbow-app-auth that a login with a
// password needs beside its own Basic credentials.
func AppAuth(password string) string {
	sum := sha256.Sum256([]byte(AppSecret + password))
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(AppID+":"+hex.EncodeToString(sum[:])))
}
