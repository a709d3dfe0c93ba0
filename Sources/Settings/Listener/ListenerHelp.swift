extension ListenerOptions {
  /// What `--help` shows.
  public static var helpText: String {
    var text = """
      Usage: begat-listener --serve SERVICE [--listen-stream ADDRESS | --socket FD]... [OPTION]...
             begat-listener [--listen-stream ADDRESS | --socket FD]... [OPTION]... -- PROGRAM [ARGUMENT]...
             begat-listener --serve SERVICE --stdio [OPTION]...

      Offers one service, or a program, and gives every connection a process of its own.  Listens on the addresses and
      sockets given, and on those that a service manager passed (LISTEN_FDS).  SIGTERM stops accepting and waits for
      open connections, a second one ends them.

      Services: \(BuiltIn.names)

      Options are named like the keys of begatd.toml(5), which explains them, and their values are written like the
      keys' without the quotes.  The option of a list is repeated for each element; an empty value is the empty list.


      """
    for (title, keys) in sections {
      text += title + ":\n"
      for key in keys { text += entry(key) }
      text += "\n"
    }
    return text + "Exit status: 0, 1 when something failed, 64 for a wrong command line.\n"
  }

  private static var sections: [(String, [Key<ListenerOptions>])] {
    let groups = ServiceSettings.groups.map { group in
      (group.title, serviceKeys.filter { key in group.keys.contains { $0.name == key.name } })
    }
    return groups + [("This listener", ownKeys), ("Set by a supervisor", supervisedKeys), ("General", generalKeys)]
  }

  private static func entry(_ key: Key<ListenerOptions>) -> String {
    var head = "  --" + key.name
    if key.isOpenTable { head += ".NAME" }
    if !key.isBoolean { head += " " + key.placeholder }
    let value = key.value(in: ListenerOptions())
    let isShown = !key.isList && !key.isOpenTable && !["help", "version", "stdio", "name"].contains(key.name)
    let fallback = isShown ? value.map { " (\($0.words[0]))" } ?? "" : ""
    let indent = String(repeating: " ", count: 30)
    let separator = head.count < 29 ? String(indent.dropFirst(head.count)) : "\n" + indent
    return head + separator + wrapped(key.help + fallback, width: 90).joined(separator: "\n" + indent) + "\n"
  }

  private static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
