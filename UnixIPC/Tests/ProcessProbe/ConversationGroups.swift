import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let conversationGroupSubcommands: Subcommands = ["conversation-group": conversationsAreAwaitedTogether]

func conversationsAreAwaitedTogether(_ words: [String]) throws {
  let soon = Deadline(after: .seconds(20))
  var group = ConversationGroup()
  try expect(group.waitForAny() == nil, "one of none")
  let cat = group.add(try Conversation(with: Program(path: "/bin/cat")))
  let bash = group.add(try TerminalConversation(shell("read x; echo \"<$x>\"")) { $0.echoes = false })
  let errors = group.add(try Conversation(with: shell("read x; echo $x >&2"), errors: .separate))
  let late = failure { () throws(SystemCallError) in
    try group.waitForAny(until: Deadline(after: .milliseconds(20)))
  }
  try expectEqual(late?.code, .timedOut, "none has written")
  let cancellation = try Cancellation()
  cancellation.cancel()
  let cancelled = failure { () throws(SystemCallError) in try group.waitForAny(cancelledBy: cancellation) }
  try expectEqual(cancelled?.code, .canceled, "cancelled")

  try group.withTerminal(at: bash) { try $0.sendLine("typed") }
  try expectEqual(group.waitForAny(until: soon), bash, "the terminal")
  let shown = try group.withTerminal(at: bash) { try $0.readLine(until: soon) }
  try expectEqual(shown ?? nil, Array("<typed>".utf8), "what it shows")
  // Its end comes later, once.
  try expectEqual(group.waitForAny(until: soon), bash, "the terminal's end")
  var terminal = group.takeTerminal(at: bash)
  try expectEqual(terminal?.waitForExit(until: soon), .exited(code: 0), "its status")

  _ = try group.withConversation(at: errors) { try $0.send("wrong\n") }
  try expectEqual(group.waitForAny(until: soon), errors, "the standard error")
  try expectEqual(group.withConversation(at: errors) { $0.readErrors() }, Array("wrong\n".utf8), "what it says")
  _ = group.takeConversation(at: errors)
  _ = try group.withConversation(at: cat) { try $0.send("half") }
  try expectEqual(group.waitForAny(until: soon), cat, "cat")
  // What was told is not told again.
  let again = failure { () throws(SystemCallError) in
    try group.waitForAny(until: Deadline(after: .milliseconds(20)))
  }
  try expectEqual(again?.code, .timedOut, "nothing new")
  try expectEqual(group.withConversation(at: cat) { try $0.read() }, Array("half".utf8), "what it gave back")
  try expect(group.withTerminal(at: cat) { _ in 1 } == nil && group.takeConversation(at: 9) == nil, "another's place")
  try expectEqual(group.count, 1, "left")
  var left = group.takeConversation(at: cat)
  try expectEqual(left?.close(until: soon), .exited(code: 0), "cat's status")
  try expect(group.waitForAny() == nil, "one of none")
  try nothingToReap([])
}
