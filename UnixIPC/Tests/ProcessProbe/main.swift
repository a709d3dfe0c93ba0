@_spi(Begat) import UnixCore
import UnixIPC

// What forks, counts descriptors, or sets signals, titles, identities or limits is tried here: a test's process has
// threads.  `process-probe SUBCOMMAND` exits 0, or prints what was wrong and exits 1.

typealias Subcommands = [String: @Sendable ([String]) throws -> Void]

let subcommands: Subcommands = [
  "show-arguments": showArguments,
  "show-descriptors": showDescriptors,
  "show-session": showSession,
  "show-signals": showSignals,
  "show-settings": showSettings,
  "show-environment": showEnvironment,
  "show-files": showFiles,
  "show-signal": showSignal,
  "program-settings": programHasItsSettings,
  "program-leader": programLeadsBoth,
  "program-descriptors": programHasItsDescriptors,
  "program-variables": programHasItsVariables,
  "program-number": programKnowsItsNumber,
  "program-death-signal": programFollowsItsStarter,
  "program-changed-signals": programResetsWhatWasChanged,
  "program-steps": programNamesTheStepThatFailed,
  "program-thousand": thousandStartsLeaveNothing,
  "program-signals": programStartsWithDefaultSignals,
  "program-ignored-signals": programIgnoresWhatItIsTold,
  "program-bytes": programGetsBytes,
  "standard-streams-closed": closedStreamsMayStayClosed,
  "program-missing": missingProgramIsAnError,
  "program-directory": missingDirectoryIsAnError,
  "exits-together": exitsTogetherAreEachAnnounced,
  "exits-unannounced": exitsBeyondTheQueueAreFound,
  "exits-forged": forgedExitsAreRecognised,
  "exits-none": nothingToReap,
  "exits-no-descriptor": missingDescriptorIsNoEnd,
  "exits-numbers": numbersBelowOneAreNoChild,
  "exits-stopped": stoppedChildIsNoEndedOne,
  "exits-kinds": exitStatusTellsHowAChildEnded,
  "exits-great": copyOfAGreatStatusFails,
  "mask": maskIsWhatWasSet,
  "title": titleIsShown,
  "identity": identityIsForGood,
  "identity-forbidden": identityNeedsRoot,
  "identity-own": identityIsItsOwn,
  "identity-starter": identityOfTheStarter,
  "follow-parent": childFollowsItsParent,
  "no-new-privileges": privilegesAreForbidden,
  "limit": limitIsRaised,
  "limit-user": limitIsRaisedByAUser,
  "alarm": alarmEndsTheProcess,
  "memory-kept": keptMemoryIsNotTheChilds,
  "memory-shared": sharedMemoryIsTheChildsToo,
  "memory-private": privateMemoryIsOneMapping,
  "memory-range": rangeIsOneThing,
  "memory-not-moved": privateMemoryIsNotMovedToAFile,
  "memory-read-only": readOnlyMemoryCannotBeWritten,
  "memory-constant": constantMemoryCannotBeChangedForOthers,
  "descriptor-stolen": descriptorClosedByAnotherIsABug,
  "descriptor-range": descriptorRangeIsClosed,
  "standard-error": standardErrorNeverWaits,
  "standard-error-foreign": foreignStandardErrorNeverWaits,
  "standard-error-terminal": stoppedTerminalNeverHoldsUp,
  "standard-error-socket": socketAsStandardErrorNeverWaits,
  "activation": activationTakesWhatWasPassed,
  "socket-race": oneOfManyTakesAPath,
  "socket-owner": refusedOwnerLeavesNothing,
]

let words = CommandLine.arguments
// Whatever hangs ends here.
Alarm.set(after: .seconds(50))
/// Those of the library's families, each in the file of its family.
let families: [Subcommands] = [
  boundSubcommands,
  brokenPipeSubcommands,
  commandLineSubcommands,
  connectionServerSubcommands,
  conversationGroupSubcommands,
  copySubcommands,
  descendantSubcommands,
  dispositionSubcommands,
  dissociationSubcommands,
  fifoSubcommands,
  forkSubcommands,
  groupSubcommands,
  localTimeSubcommands,
  magicOpenSubcommands,
  pipeSubcommands,
  processSubcommands,
  reapingSubcommands,
  signalDescriptorSubcommands,
  signalSubcommands,
  socketSubcommands,
  systemVSubcommands,
  terminalSubcommands,
  timeLimitSubcommands,
  untrustedSubcommands,
]
guard words.count > 1, let subcommand = ([subcommands] + families).lazy.compactMap({ $0[words[1]] }).first else {
  say("usage: process-probe SUBCOMMAND")
  ProcessControl.exitImmediately(status: 64)
}
do {
  try subcommand(Array(words.dropFirst(2)))
} catch {
  say("\(words[1]): \(error)")
  ProcessControl.exitImmediately(status: 1)
}
ProcessControl.exitImmediately(status: 0)
