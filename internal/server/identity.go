package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// whose asks Rainbow whose token a caller has. The validator operation tells that the token is good, and so that what it
// says of its user is true; who that is, the service account reads. The token is used for that one question.
func (b *Backend) whose(ctx context.Context, c upstream.Caller) (facade.Principal, error) {
	_, err := authenticationv1.NewAuthenticationServiceClient(b.client).Validate(upstream.WithCaller(ctx, c), &authenticationv1.ValidateRequest{})
	if refused(err) {
		return facade.Principal{}, fmt.Errorf("%w: Rainbow refuses the token, so a new login is needed", facade.ErrIdentity)
	}
	if err != nil {
		return facade.Principal{}, err
	}
	id := userOf(c.Header.Get("Authorization"))
	if id == "" {
		return facade.Principal{}, fmt.Errorf("%w: the token does not say whose it is", facade.ErrIdentity)
	}
	answer, err := adminv1.NewUsersServiceClient(b.client).GetUser(ctx, &adminv1.GetUserRequest{UserId: id, Format: proto.String("full")})
	if refused(err) {
		return facade.Principal{}, fmt.Errorf("%w: user %s of the token is none whom the gateway's service account may see", facade.ErrIdentity, id)
	}
	if err != nil {
		return facade.Principal{}, err
	}
	user := answer.GetData()
	if user.GetId() != id || user.GetLoginEmail() == "" || user.GetIsTerminated() {
		return facade.Principal{}, fmt.Errorf("%w: user %s of the token is none whom the gateway's service account can read", facade.ErrIdentity, id)
	}
	return facade.Principal{Name: strings.ToLower(user.GetLoginEmail()), UserID: id, Company: user.GetCompanyId(), Token: true}, nil
}

// refused tells whether Rainbow said no, rather than that something went wrong on the way.
func refused(err error) bool {
	var answer *upstream.Error
	return errors.As(err, &answer) && (answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden || answer.Status == http.StatusNotFound)
}

// userOf gives the user id in the payload of a Bearer token, a JWT (Rainbow S2S starter kit, login); empty when there is
// none. It is for tokens that Rainbow has found valid: the signature is Rainbow's to check.
func userOf(authorization string) string {
	_, token, _ := strings.Cut(authorization, " ")
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return ""
	}
	var claims struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.User.ID
}
