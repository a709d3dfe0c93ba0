import JSON
@_spi(Begat) import UnixCore

/// `begat time`: how far the clocks of many hosts are from this one's.
public struct TimeClient: Sendable {
  public var settings: SurveySettings

  public init(settings: SurveySettings) { self.settings = settings }

  /// Asks them all and prints a row for each, in the order in which they were named.
  ///
  /// - Returns: whether every host told its time.
  public func run() -> Bool {
    CommandRun(command: "begat time").attempt(failure: false) { try settings.json ? printObject() : printRows() }
  }

  private var survey: Survey { settings.survey(AnswerRule(enough: 4, longest: 64)) }

  private func printRows() throws(SystemCallError) -> Bool {
    let table = TimeTable(hosts: settings.hosts.map(\.shown))
    var terminal = SurveyTerminal()
    var rows = RowsInOrder<String>(count: settings.hosts.count)
    var isComplete = true
    var broken: SystemCallError?
    try terminal.show([table.head, table.localRow(SystemClock.wall() / 1_000_000_000)])
    try survey.run { deadline in
      terminal.note(waitingFor: rows.missing.map { settings.hosts[$0].shown }, until: deadline)
    } decided: { index, outcome in
      let host = settings.hosts[index].shown
      let row: String
      switch TimeAnswer.read(outcome, within: settings.timeout) {
      case .time(let answer): row = table.row(host, answer)
      case .failure(let reason):
        isComplete = false
        row = terminal.red(table.row(host, failure: reason))
      }
      do throws(SystemCallError) { try terminal.show(rows.put(row, at: index)) } catch { broken = broken ?? error }
    }
    if let broken { throw broken }
    return isComplete
  }

  private func printObject() throws(SystemCallError) -> Bool {
    var rows = Array(repeating: JSONValue.null, count: settings.hosts.count)
    var isComplete = true
    try survey.run { index, outcome in
      let host = settings.hosts[index].word
      switch TimeAnswer.read(outcome, within: settings.timeout) {
      case .time(let answer): rows[index] = TimeTable.json(host, answer)
      case .failure(let reason):
        isComplete = false
        rows[index] = TimeTable.json(host, failure: reason)
      }
    }
    try StandardStream.say(JSONValue.object([.init("hosts", .array(rows))]).text)
    return isComplete
  }
}
