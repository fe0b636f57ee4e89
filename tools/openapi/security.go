package main

import "strings"

// Names of the security schemes, the same in both documents.
const (
	schemeBearer    = "bearer"
	schemeBasic     = "basic"
	schemeAPIKey    = "apiKey"
	schemeChallenge = "challenge"
	schemeApp       = "appAuth"
)

// authenticationPrefix is the portal that is never called as the service account.
const authenticationPrefix = rainbowPrefix + "authentication/"

const bearerText = "The token that Login answers, or an OAuth access token. An application token may travel beside it in " +
	"the header APIKey."

func securityDefinitions() *object {
	return pairs(
		schemeBearer, header("Authorization", "Bearer and a token. "+bearerText),
		schemeBasic, pairs("type", "basic", "description", "Login: the user's login and password. OAuthToken: the "+
			"application's id and secret."),
		schemeAPIKey, header("x-rainbow-api-key", "An API key of a user instead of a token; with challenge and appAuth."),
		schemeChallenge, header("x-rainbow-challenge", "22 random characters, made anew for each request."),
		schemeApp, header("x-rainbow-app-auth", "Basic and base64(appId:hash), where hash is the SHA-256, in lower-case "+
			"hexadecimal, of the application's secret with the user's password (Login) or the challenge (API key) behind it."),
	)
}

func header(name, description string) *object {
	return pairs("type", "apiKey", "name", name, "in", "header", "description", description)
}

// security is who may call: any one of the list. An empty member is a caller without credentials, for whom the service
// account acts when he is on the gateway's machine.
func (f *finisher) security(path string, r rpc) []any {
	switch {
	case r.source == "": // the gateway's own act as the service account and take nobody's credentials
		return []any{}
	case r.noCredentials:
		return f.ownSecurity(r)
	}
	list := []any{
		pairs(schemeBearer, []any{}),
		pairs(schemeAPIKey, []any{}, schemeChallenge, []any{}, schemeApp, []any{}),
	}
	if strings.HasPrefix(path, authenticationPrefix) && r.service != "About" {
		return list
	}
	return append(list, pairs())
}

// ownSecurity is for an operation that takes credentials of a kind of its own, as the catalogue's headers say.
func (f *finisher) ownSecurity(r rpc) []any {
	all := pairs()
	for _, h := range f.entries[r.portal+"."+r.name].headers {
		switch {
		case strings.EqualFold(h.Name, "Authorization") && strings.HasPrefix(h.Value, "Basic "):
			all.set(schemeBasic, []any{})
		case strings.EqualFold(h.Name, "x-rainbow-app-auth"):
			all.set(schemeApp, []any{})
		}
	}
	if len(all.names) == 0 {
		return []any{}
	}
	return []any{all}
}
