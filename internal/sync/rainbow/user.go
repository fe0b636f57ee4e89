package rainbow

import (
	"context"
	"iter"
	"slices"
	"strings"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	subscriptionv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// full is the format of a user, number, offer or subscription that has all members.
const full = "full"

// userRecord makes the record of a user of the company; nil for none, a user of another company, a terminated one, or one
// whose login is no e-mail address.
func (t *Target) userRecord(company string, u *adminv1.User) *bulksync.User {
	if u == nil || u.GetIsTerminated() || u.CompanyId != nil && u.GetCompanyId() != company {
		return nil
	}
	login, err := bulksync.ParseLogin(u.GetLoginEmail())
	if err != nil || u.GetId() == "" {
		t.opts.Logger.Warn("user left out: no id, or a login that is no e-mail address", "user", u.GetId())
		return nil
	}
	r := &bulksync.User{ID: u.GetId(), Login: login, Attributes: attributesOf(u), Admin: isAdmin(u)}
	setLicences(r, u.GetProfiles())
	return r
}

// isAdmin tells whether a user has an administrator role (admin, bp_admin, superadmin, ...) or kind; samples of users
// that are none show the kind "undefined".
func isAdmin(u *adminv1.User) bool {
	if kind := u.GetAdminType(); kind != "" && kind != "undefined" {
		return true
	}
	return slices.ContainsFunc(u.GetRoles(), func(role string) bool { return strings.HasSuffix(role, "admin") })
}

func setLicences(r *bulksync.User, profiles []*adminv1.UserProfile) {
	r.Licences = nil
	for _, p := range profiles {
		if p.GetSubscriptionId() != "" {
			r.Licences = append(r.Licences, p.GetSubscriptionId())
		}
	}
	slices.Sort(r.Licences)
	r.Licences = slices.Compact(r.Licences)
}

// eachUser reads all users of a company, in full.
func (t *Target) eachUser(ctx context.Context, company string, take func(*adminv1.User) error) error {
	format, field, ascending := full, "loginEmail", int32(1)
	return newList(t, "users", (*adminv1.User).GetId, func(ctx context.Context, offset, limit int32) ([]*adminv1.User, int32, error) {
		resp, err := t.users.ListUsers(ctx, &adminv1.ListUsersRequest{CompanyId: &company, Format: &format, Limit: &limit, Offset: &offset, SortField: &field, SortOrder: &ascending}, t.usersShown)
		return resp.GetData(), resp.GetTotal(), err
	}, take).read(ctx)
}

// userByID reads a user in full; nil when there is none.
func (t *Target) userByID(ctx context.Context, id string) (*adminv1.User, error) {
	format := full
	resp, err := t.users.GetUser(ctx, &adminv1.GetUserRequest{UserId: id, Format: &format})
	if missing(err) {
		return nil, nil
	}
	return resp.GetData(), err
}

// maxLoginsLength keeps a list of logins in a URL below 4 KiB, escaped.
const maxLoginsLength = 3000

// usersByLogin reads the users with the given logins, in full. Several go in one request, with a space between them (admin
// portal, ListUsers).
func (t *Target) usersByLogin(ctx context.Context, company string, logins []bulksync.Login) (map[bulksync.Login]*adminv1.User, error) {
	found := map[bulksync.Login]*adminv1.User{}
	for chunk := range loginChunks(logins) {
		if err := t.addUsers(ctx, company, chunk, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (t *Target) addUsers(ctx context.Context, company string, logins []bulksync.Login, found map[bulksync.Login]*adminv1.User) error {
	words := make([]string, len(logins))
	for i, l := range logins {
		words[i] = string(l)
	}
	format, wanted := full, strings.Join(words, " ")
	return newList(t, "users by login", (*adminv1.User).GetId, func(ctx context.Context, offset, limit int32) ([]*adminv1.User, int32, error) {
		resp, err := t.users.ListUsers(ctx, &adminv1.ListUsersRequest{CompanyId: &company, LoginEmail: &wanted, Format: &format, Limit: &limit, Offset: &offset})
		return resp.GetData(), resp.GetTotal(), err
	}, func(u *adminv1.User) error {
		l, err := bulksync.ParseLogin(u.GetLoginEmail())
		if err == nil && !u.GetIsTerminated() && slices.Contains(logins, l) { // a terminated one is as good as deleted
			found[l] = u
		}
		return nil
	}).read(ctx)
}

// loginChunks cuts a list of logins into parts that fit a URL.
func loginChunks(logins []bulksync.Login) iter.Seq[[]bulksync.Login] {
	return func(yield func([]bulksync.Login) bool) {
		start, length := 0, 0
		for i, l := range logins {
			n := len(l) + 8 // the space and the signs that are escaped
			if length+n > maxLoginsLength && i > start {
				if !yield(logins[start:i]) {
					return
				}
				start, length = i, 0
			}
			length += n
		}
		if start < len(logins) {
			yield(logins[start:])
		}
	}
}

// seenUser makes the record of a user that was just read or changed, with his licences, which not every answer shows.
func (t *Target) seenUser(ctx context.Context, company string, u *adminv1.User) (*bulksync.User, error) {
	r := t.userRecord(company, u)
	if r == nil || len(r.Licences) > 0 {
		return r, nil
	}
	profiles, err := t.profilesOf(ctx, u.GetId())
	if err != nil {
		return nil, err
	}
	setLicences(r, profiles)
	return r, nil
}

func (t *Target) profilesOf(ctx context.Context, userID string) ([]*adminv1.UserProfile, error) {
	resp, err := t.profiles.ListUserProfiles(ctx, &adminv1.ListUserProfilesRequest{UserId: userID})
	return resp.GetData(), err
}

// addLicences completes users whose documents do not show their licences: few one by one, many through the users of
// every subscription.
func (t *Target) addLicences(ctx context.Context, company string, users []*bulksync.User, licences []*bulksync.Licence) error {
	if len(users) <= few {
		return each(ctx, t.opts.Parallel, users, func(ctx context.Context, u *bulksync.User) error {
			profiles, err := t.profilesOf(ctx, u.ID)
			if err == nil {
				setLicences(u, profiles)
			}
			return err
		})
	}
	byID := make(map[string]*bulksync.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	for _, l := range licences {
		err := newList(t, "users of a subscription", (*adminv1.User).GetId, func(ctx context.Context, offset, limit int32) ([]*adminv1.User, int32, error) {
			resp, err := t.subscriptions.ListSubscriptionUsers(ctx, &subscriptionv1.ListSubscriptionUsersRequest{CompanyId: company, SubscriptionId: l.ID, Limit: &limit, Offset: &offset})
			return resp.GetData(), resp.GetTotal(), err
		}, func(u *adminv1.User) error {
			if r := byID[u.GetId()]; r != nil {
				r.Licences = append(r.Licences, l.ID)
			}
			return nil
		}).read(ctx)
		if err != nil {
			return err
		}
	}
	for _, u := range users {
		slices.Sort(u.Licences)
	}
	return nil
}
