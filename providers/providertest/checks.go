package providertest

// Checks lists everything that a driver must do, the simple things first.
func Checks() []Check {
	return []Check{
		{"provision_again", "The same instance provisioned again, with its State or without, is one instance.", provisionAgain},
		{"provision_at_once", "The same instance provisioned by four calls at once is one instance.", provisionAtOnce},
		{"inspect_honest", "What Provision called done is there, and what Deprovision called done is not.", inspectHonest},
		{"deprovision_unknown", "Removing an instance that never was is done at once.", deprovisionUnknown},
		{"deprovision_again", "Removing an instance twice is no error.", deprovisionAgain},
		{"deprovision_half_made", "An instance whose making was broken off can be removed without a trace.", deprovisionHalfMade},
		{"deprovision_bound", "Removing an instance ends its bindings' logins and open connections.", deprovisionBound},
		{"bind_again", "The same binding made again, with its State or without, gives the same credentials.", bindAgain},
		{"bind_at_once", "The same binding made by four calls at once gives one set of credentials that works.", bindAtOnce},
		{"credentials_complete", "Credentials hold an address and its parts, and these agree.", credentialsComplete},
		{"credentials_work", "An app can log in, write and read; with a wrong password it cannot.", credentialsWork},
		{"bindings_share", "Two bindings of one instance see the same data under different logins.", bindingsShare},
		{"tenants_apart", "Two instances see, list and reach nothing of each other.", tenantsApart},
		{"revoked_login", "After Unbind the old login is refused.", revokedLogin},
		{"revoked_session", "After Unbind an open connection is dead within 5 s.", revokedSession},
		{"revoked_while_connecting", "Unbind leaves no connection that was being made meanwhile.", revokedWhileConnecting},
		{"revoked_clinging", "Unbind works when the app owns objects, changed its password and is connected; the data stay.", revokedClinging},
		{"unbind_spares_others", "Unbind leaves the other bindings of the instance alone, open connections too.", unbindSparesOthers},
		{"unbind_unknown", "Removing a binding that never was, or of an instance that is gone, is done at once.", unbindUnknown},
		{"unbind_again", "Removing a binding twice is no error, and a late one harms no newer binding.", unbindAgain},
		{"late_provision", "A Provision that lands late harms neither a live instance nor leaves what cannot be removed.", lateProvision},
		{"late_bind", "A Bind that lands after Unbind can be removed by another Unbind.", lateBind},
		{"state_survives", "A new process with the kept State goes on where the old one was.", stateSurvives},
		{"readings_sound", "Readings name the plan's metrics, are never negative, and do not run backwards.", readingsSound},
		{"suspend_keeps", "Suspend refuses logins and ends connections; Resume lets in again; the data stay.", suspendKeeps},
		{"update_keeps", "An update keeps data, logins and credentials.", updateKeeps},
		{"odd_ids", "Ids with quotes, other alphabets, or 200 letters do no harm and are told apart.", oddIDs},
		{"target_answers", "The target for latency answers.", targetAnswers},
		{"nothing_left", "After a whole life nothing is left at the backend.", nothingLeft},
	}
}
