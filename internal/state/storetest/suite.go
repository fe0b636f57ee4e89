package storetest

import (
	"testing"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Run runs the suite. open gives an empty store for one test and sees to its end. reopen, if given, closes a store and
// opens it again as another process would; what was stored must then still be there.
func Run(t *testing.T, open func(*testing.T) bulksync.Store, reopen func(*testing.T, bulksync.Store) bulksync.Store) {
	if reopen == nil {
		reopen = func(_ *testing.T, s bulksync.Store) bulksync.Store { return s }
	}
	cases := []struct {
		name string
		run  func(*testing.T, harness)
	}{
		{"what was recorded is observed", recordedIsObserved},
		{"a company never recorded is not found", unknownCompany},
		{"a refresh replaces the whole state", refreshReplaces},
		{"what a manifest named is kept until the next refresh", detailsAreRecorded},
		{"a refresh of many records replaces the whole state", largeRefreshReplaces},
		{"a refresh that fails leaves the old state", failedRefresh},
		{"a cancelled refresh leaves the old state", cancelledRefresh},
		{"of records put twice the last stays", recordPutTwice},
		{"records may be put by several goroutines", concurrentPuts},
		{"a refresh that calls the store meanwhile does not block", refreshHoldsNoLock},
		{"what a run changes during a refresh stays", refreshKeepsRunsChanges},
		{"what a run changes during a large refresh stays", largeRefreshKeepsRunsChanges},
		{"a snapshot does not see later refreshes", snapshotIsConsistent},
		{"a snapshot does not see what a run changes", snapshotSeesNoRun},
		{"a walk does not see what a run changes on the way", walkSeesNoRun},
		{"a snapshot serves several goroutines", snapshotIsConcurrent},
		{"companies are apart", companiesAreApart},
		{"a walk stops when its caller does", walksStop},
		{"records without an id are refused", badRecords},

		{"plans are stored, listed and deleted", plans},
		{"a plan comes back byte for byte", planRoundTrip},
		{"runs are stored, updated and listed", runs},

		{"plans keep their approvals", approvals},
		{"approvals are taken back", withdrawals},
		{"plans keep what their manifest desires", desiredOfPlans},
		{"the manifest in force is the last that was applied and not undone", applied},
		{"manifests in force are told apart by their titles", titles},
		{"runs keep what they changed", traces},
		{"a deleted run leaves nothing", deletedRuns},
		{"companies are listed", companies},
		{"the last look for drift is kept", drifts},

		{"calls are begun and ended", calls},
		{"a journal walks in call order", journalOrder},
		{"calls that cannot be begun are refused", refusedBegins},
		{"calls that cannot be ended are refused", refusedEnds},
		{"an end may be repeated", repeatedEnd},
		{"an unknown outcome is replaced by what is found", unknownOutcome},
		{"an end is recorded when its context has ended", endAfterCancel},
		{"changes are made in the given order", changesInOrder},
		{"a refused end changes nothing", refusedEndChangesNothing},
		{"parallel workers do not lose anything", parallelWorkers},
		{"the index of holders is true after any changes", heldProperty},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, harness{store: open(t), reopen: reopen})
		})
	}
}

// harness is what a test of the suite works on.
type harness struct {
	store  bulksync.Store
	reopen func(*testing.T, bulksync.Store) bulksync.Store
}
