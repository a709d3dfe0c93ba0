import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

let localTimeSubcommands: Subcommands = ["local-time": localTimeIsThatOfItsZone]

/// `local-time ZONE`: before the zone is read for the first time.
func localTimeIsThatOfItsZone(_ words: [String]) throws {
  setenv("TZ", words[0], 1)
  for instant in [0, 863_967_646, 1_720_000_000, -2_500_000_000] as [Int64] {
    guard let time = LocalTime(secondsSince1970: instant) else { throw Wrong(description: "no time \(instant)") }
    let pipe = try PipeEnds()
    let reading = pipe.readEnd
    let writing = pipe.writeEnd
    let date = try Program(
      path: "/bin/date", arguments: ["-d", "@\(instant)", "+%a %b %e %H:%M:%S %Y %Y-%m-%dT%H:%M:%S%::z"],
      environment: ["LC_ALL=C", "TZ=" + words[0]]
    ).start(descriptors: [0, writing.number, 2])
    _ = consume writing
    // Seconds of the offset only where there are any.
    let expected = try text(readBytes(.max, from: reading)) ?? ""
    var ours = "\(time) \(time.iso8601)"
    if time.offsetFromUTC % 60 == 0 { ours += ":00" }
    try expectEqual(ours + "\n", expected, "\(instant) in \(words[0])")
    try expectEqual(try Children.wait(for: date), .exited(code: 0), "date")
  }
}
