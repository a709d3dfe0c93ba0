import JSON
@_spi(Begat) import UnixCore

/// `begat daytime`: the date and time in the words of each host.
public struct DaytimeClient: Sendable {
  public var settings: SurveySettings

  public init(settings: SurveySettings) { self.settings = settings }

  /// Asks them all and prints what each says, in the order in which they were named; failures on standard error.
  ///
  /// - Returns: whether every host answered as it should.
  public func run() -> Bool {
    CommandRun(command: "begat daytime").attempt(failure: false) { try settings.json ? printObject() : printLines() }
  }

  private var survey: Survey { settings.survey(AnswerRule(enough: nil, longest: DaytimeAnswer.longest)) }

  private func printLines() throws(SystemCallError) -> Bool {
    var terminal = SurveyTerminal()
    var rows = RowsInOrder<(host: String, answer: DaytimeAnswer)>(count: settings.hosts.count)
    var isComplete = true
    var broken: SystemCallError?
    try survey.run { deadline in
      terminal.note(waitingFor: rows.missing.map { settings.hosts[$0].shown }, until: deadline)
    } decided: { index, outcome in
      let answer = DaytimeAnswer(outcome, within: settings.timeout)
      for row in rows.put((settings.hosts[index].shown, answer), at: index) {
        do throws(SystemCallError) { try terminal.show(lines(of: row.answer, from: row.host)) } catch {
          broken = broken ?? error
        }
        guard let complaint = row.answer.complaint else { continue }
        isComplete = false
        terminal.complain("begat daytime: \(row.host): \(complaint)")
      }
    }
    if let broken { throw broken }
    return isComplete
  }

  /// Of one host alone, its own words and nothing else.
  private func lines(of answer: DaytimeAnswer, from host: String) -> [String] {
    settings.hosts.count == 1 ? answer.lines : answer.lines.map { "\(host): \($0)" }
  }

  private func printObject() throws(SystemCallError) -> Bool {
    var rows = Array(repeating: JSONValue.null, count: settings.hosts.count)
    var isComplete = true
    try survey.run { index, outcome in
      let answer = DaytimeAnswer(outcome, within: settings.timeout)
      if answer.complaint != nil { isComplete = false }
      rows[index] = answer.json(settings.hosts[index].word)
    }
    try StandardStream.say(JSONValue.object([.init("hosts", .array(rows))]).text)
    return isComplete
  }
}
