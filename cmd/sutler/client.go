package main

import "github.com/spf13/cobra"

// clientCommands are the commands that talk to a market through its API.
func clientCommands(s *session) []*cobra.Command {
	return []*cobra.Command{
		newMarketplace(s), newQuote(s), newCreate(s), newInstances(s), newInfo(s), newBind(s), newUnbind(s), newWhoHas(s), newOpen(s), newUpdate(s), newUpgrade(s), newRotate(s), newSuspend(s), newResume(s), newDestroy(s), newEnv(s), newRun(s), newBackup(s), newMove(s),
		newUsage(s), newCosts(s), newInvoices(s), newInvoice(s), newOrg(s), newProject(s), newApp(s), newMember(s), newToken(s),
		newLogin(s), newLogout(s), newWhoami(s), newPlatform(s), newProvider(s), newOperations(s), newQueue(s), newOperation(s), newReconcile(s), newAudit(s), newVersion(s),
	}
}
