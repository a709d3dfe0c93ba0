import Configuration
import ControlProtocol
import Glibc
@_spi(Begat) import UnixCore

/// The child of a new program that tries whether it could go on where the running begatd is: it reads everything, and
/// changes nothing.
enum TrialProgram {
  /// Writes the answer to standard output; the exit status says the same.
  static func run(_ takeover: Takeover, configurationFile: String?) -> CInt {
    let answer = TrialAnswer(problems: problems(takeover, configurationFile))
    let isWritten = Descriptor.withBorrowed(STDOUT_FILENO) { (try? $0.writeAll(answer.line)) != nil }
    return isWritten && answer.problems.isEmpty ? 0 : 1
  }

  private static func problems(_ takeover: Takeover, _ configurationFile: String?) -> [String] {
    do {
      let adoption = try Adoption(takeover)
      // Its own limit may be below the number of descriptors that it was given.
      _ = DescriptorLimit.raise()
      _ = try OwnPrograms()
      try adoption.requirePassedSockets()
      let kept = try adoption.keptDescriptors()
      let (state, problems) = kept.takeState()
      guard let state else { return problems.isEmpty ? ["the state of the running begatd is missing"] : problems }
      let unreadable = state.services.flatMap { service in
        service.generations.compactMap { generation in
          problem(of: generation, of: service.name, kept).map { "\(service.name): \($0)" }
        }
      }
      guard unreadable.isEmpty else { return unreadable }
    } catch let failure as Adoption.Failure {
      return failure.lines
    } catch { return ["\(error)"] }
    do throws(ConfigurationProblems) {
      _ = try Configuration.load(file: configurationFile, identities: .reading())
      return []
    } catch { return error.problems.map(\.description) }
  }

  /// A scoreboard of another version is no problem, as it shows nothing.
  private static func problem(of generation: SavedState.Generation, of service: String, _ kept: KeptDescriptors)
    -> String?
  {
    guard let board = kept.take(.board(service: service, generation: generation.number)) else {
      return "the scoreboard of listener \(generation.process) is missing"
    }
    do throws(SystemCallError) {
      _ = try ScoreboardReader(board)
      return nil
    } catch { return "the scoreboard of listener \(generation.process) cannot be read: \(error)" }
  }
}
