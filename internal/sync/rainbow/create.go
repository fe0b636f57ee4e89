package rainbow

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Users one by one, when a run wants them so: CreateUser, what that can't say by UpdateUser, and a call for each licence.
// Together they are one operation. When a try broke off in between, the next one finds the user and goes on.

// byAdmin tells whether the admin portal can carry a user's operation: it has no member for what only imports take.
func byAdmin(op *bulksync.Operation) bool {
	return !slices.ContainsFunc(op.Changes, func(c bulksync.Change) bool {
		_, _, numbered := position(c.Name)
		return !numbered && findAttribute(c.Name) == nil && !strings.HasPrefix(c.Name, licencePrefix)
	})
}

// licencePrefix begins the name of a change that gives a new user a licence; the subscription's id follows.
const licencePrefix = "licence "

func (t *Target) createUser(ctx context.Context, company bulksync.Company, step bulksync.Step) (effect, error) {
	op := &step.Operation
	body, rest := createBody(company.ID, step)
	resp, err := t.users.CreateUser(ctx, &adminv1.CreateUserRequest{Body: body})
	u := resp.GetData()
	switch {
	case err == nil:
	case judge(err).status == http.StatusConflict && (step.Sent > 0 || unsure(ctx)):
		found, findErr := t.usersByLogin(ctx, company.ID, []bulksync.Login{op.Login})
		if findErr != nil {
			return effect{}, beforehand(findErr)
		}
		if u = found[op.Login]; u == nil {
			return effect{}, err
		}
		rest = updateBody(u, op.Changes)
		if step.Password != "" {
			rest.Password = &step.Password
		}
	default:
		return effect{}, err
	}
	if err := t.completeUser(ctx, u, rest, op); err != nil {
		return effect{}, fmt.Errorf("the user exists now, in part: %w", err)
	}
	left := effect{id: u.GetId()}
	err = t.patiently(ctx, t.opts.Settle, func() (bool, error) {
		found, err := t.userByID(ctx, u.GetId())
		if err != nil || !userIsAs(found, op) {
			return false, err
		}
		if seen, err := t.seenUser(ctx, company.ID, found); err == nil && seen != nil && seen.Login == op.Login {
			left.seen = seen
		}
		return true, nil
	})
	if err != nil {
		t.opts.Logger.Warn("user created and not read back: how he looks is for the next refresh", "user", u.GetId())
	}
	return left, nil
}

// completeUser gives a new user what CreateUser could not: rest may be nil.
func (t *Target) completeUser(ctx context.Context, u *adminv1.User, rest *adminv1.UpdateUserBody, op *bulksync.Operation) error {
	if rest != nil {
		if _, err := t.users.UpdateUser(ctx, &adminv1.UpdateUserRequest{UserId: u.GetId(), Body: rest}); err != nil {
			return err
		}
	}
	for _, c := range op.Changes {
		if id, ok := strings.CutPrefix(c.Name, licencePrefix); ok {
			if err := t.giveLicence(ctx, u.GetId(), id); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveLicence gives a new user a licence, unless he has it: by default, or from an earlier try.
func (t *Target) giveLicence(ctx context.Context, user, subscription string) error {
	refused := t.moveLicence(ctx, bulksync.Step{Refs: bulksync.Refs{UserID: user, ThingID: subscription}}, true)
	if refused == nil || judge(refused).status != http.StatusConflict {
		return refused
	}
	held := false
	err := t.patiently(ctx, t.opts.Settle, func() (bool, error) {
		profiles, err := t.profilesOf(ctx, user)
		if missing(err) { // lists lag
			return false, nil
		}
		held = slices.ContainsFunc(profiles, func(p *adminv1.UserProfile) bool { return p.GetSubscriptionId() == subscription })
		return held, err
	})
	if err != nil || !held {
		return refused
	}
	return nil
}

// createBody makes the body of CreateUser, and the one of UpdateUser for what that can't say; nil when that is nothing.
func createBody(company string, step bulksync.Step) (*adminv1.CreateUserBody, *adminv1.UpdateUserBody) {
	op := &step.Operation
	all := updateBody(nil, op.Changes)
	loginEmail := string(op.Login)
	b := &adminv1.CreateUserBody{
		LoginEmail: &loginEmail, CompanyId: &company,
		FirstName: all.FirstName, LastName: all.LastName, NickName: all.NickName, Title: all.Title, JobTitle: all.JobTitle,
		Department: all.Department, Tags: all.Tags, Emails: all.Emails, Country: all.Country, Language: all.Language,
		Timezone: all.Timezone, AccountType: all.AccountType, IsInitialized: all.IsInitialized, Visibility: all.Visibility,
		AuthenticationType: all.AuthenticationType,
	}
	if step.Password != "" {
		b.Password = &step.Password
	}
	for _, n := range all.PhoneNumbers {
		b.PhoneNumbers = append(b.PhoneNumbers, &adminv1.CreateUserPhoneNumber{Number: n.Number, Country: n.Country, Type: n.Type, DeviceType: n.DeviceType})
	}
	if all.UserInfo1 == nil && all.UserInfo2 == nil {
		return b, nil
	}
	return b, &adminv1.UpdateUserBody{UserInfo1: all.UserInfo1, UserInfo2: all.UserInfo2}
}

func (t *Target) deleteUser(ctx context.Context, step bulksync.Step) (effect, error) {
	_, err := t.users.DeleteUser(ctx, &adminv1.DeleteUserRequest{UserId: step.Refs.UserID})
	return effect{}, err
}
