import CPlatform
import Glibc

extension Signal {
  /// The signal that a text names: `TERM`, `SIGTERM`, `15`, `RTMIN+3`, `SIGRTMAX-2`, `CLD`, in upper or lower case.
  ///
  /// Nil for anything else: an unknown name, a number that is no signal (0, 65), a sign, a blank, a leading 0, `SIG` before a
  /// number.
  public init?(_ text: some StringProtocol) {
    // Only ASCII letters have another case here: that of "ſ" would be "S".
    var bytes = text.utf8.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 & ~0x20 : $0 }[...]
    if let number = Signal.decimal(bytes) {
      self.init(rawValue: number)
      if !exists { return nil }
      return
    }
    if bytes.starts(with: "SIG".utf8) { bytes = bytes.dropFirst(3) }
    guard let found = Signal.realTime(named: bytes) ?? Signal.standard(named: bytes) else { return nil }
    self = found
  }

  /// The name without "SIG", such as "TERM" or "RTMIN+3"; the number if there is no name, as for 32 and 33.
  ///
  /// `Signal(_:)` accepts it.
  public var name: String {
    if let name = platform_signal_name(rawValue) { return String(cString: name) }
    let first = Signal.firstRealTime
    if rawValue == first { return "RTMIN" }
    return isRealTime ? "RTMIN+\(rawValue - first)" : String(rawValue)
  }

  /// Other names of the signal, such as "CLD" of SIGCHLD or "RTMAX-2" of a real-time signal.
  public var aliases: [String] {
    if isRealTime { return [rawValue == Signal.lastRealTime ? "RTMAX" : "RTMAX-\(Signal.lastRealTime - rawValue)"] }
    return Signal.otherNames.filter { $0.signal == self && $0.name != name }.map(\.name)
  }

  /// The C library's description of the signal, such as "Terminated" or "Broken pipe".
  ///
  /// Source: sigdescr_np(3).
  public var text: String {
    if let text = platform_signal_text(rawValue) { return String(cString: text) }
    if isRealTime { return "Real-time signal \(rawValue - Signal.firstRealTime)" }
    return exists ? "Kept by the C library" : "Unknown signal"
  }

  /// Both names of SIGIO, since which one is the C library's first differs.
  private static let otherNames: [(name: String, signal: Signal)] = [
    ("CLD", .child), ("IO", .ioReady), ("POLL", .ioReady), ("IOT", .abort),
  ]

  private static func standard(named name: ArraySlice<UInt8>) -> Signal? {
    if let other = otherNames.first(where: { name.elementsEqual($0.name.utf8) }) { return other.signal }
    return (1...31 as ClosedRange<CInt>).lazy.map { Signal(rawValue: $0) }.first { signal in
      platform_signal_name(signal.rawValue).map { name.elementsEqual(String(cString: $0).utf8) } ?? false
    }
  }

  private static func realTime(named name: ArraySlice<UInt8>) -> Signal? {
    let isFromFirst = name.starts(with: "RTMIN".utf8)
    guard isFromFirst || name.starts(with: "RTMAX".utf8) else { return nil }
    var distance: CInt = 0
    let rest = name.dropFirst(5)
    if let sign = rest.first {
      guard sign == UInt8(ascii: isFromFirst ? "+" : "-"), let number = decimal(rest.dropFirst()) else { return nil }
      distance = number
    }
    guard distance <= lastRealTime - firstRealTime else { return nil }
    return Signal(rawValue: isFromFirst ? firstRealTime + distance : lastRealTime - distance)
  }

  /// At most three digits, none of them a leading 0.
  private static func decimal(_ digits: ArraySlice<UInt8>) -> CInt? {
    guard (1...3).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
    var value: CInt = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      value = value * 10 + CInt(digit - UInt8(ascii: "0"))
    }
    return value
  }
}

extension Signal: CustomStringConvertible {
  /// The name, such as "SIGTERM" or "SIGRTMIN+3"; "signal 32" if there is no name.
  public var description: String {
    let name = self.name
    return name.utf8.first.map { $0 <= UInt8(ascii: "9") } ?? true ? "signal \(name)" : "SIG" + name
  }
}
