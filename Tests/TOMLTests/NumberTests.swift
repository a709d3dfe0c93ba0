import TOML
import Testing

@Suite struct NumberTests {
  @Test(
    "takes integers of 64 bits",
    arguments: [
      ("0", 0), ("+0", 0), ("-0", 0), ("1_000", 1000), ("-17", -17), ("0xDEAD_beef", 0xdead_beef), ("0o755", 493),
      ("0b0_1", 1), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("0x7fff_ffff_ffff_ffff", .max),
    ] as [(String, Int64)])
  func takesIntegers(text: String, number: Int64) throws {
    guard case .integer(number) = try value(text) else {
      Issue.record("\(text) is not \(number)")
      return
    }
  }

  @Test(
    "takes floats",
    arguments: [
      ("1.0", 1), ("-0.01", -0.01), ("5e+22", 5e22), ("1e06", 1e6), ("6.626_1E-34", 6.6261e-34), ("+inf", .infinity),
      ("-inf", -.infinity), ("1e400", .infinity), ("0e0", 0),
    ] as [(String, Double)])
  func takesFloats(text: String, number: Double) throws {
    guard case .float(number) = try value(text) else {
      Issue.record("\(text) is not \(number)")
      return
    }
  }

  @Test("takes nan and the negative zero")
  func takesSpecialFloats() throws {
    if case .float(let number) = try value("-nan") { #expect(number.isNaN) } else { Issue.record("no float") }
    if case .float(let number) = try value("-0.0") { #expect(number.sign == .minus) } else { Issue.record("no float") }
  }

  private static let range = "a number lies between -9223372036854775808 and 9223372036854775807"

  @Test(
    "says what is wrong",
    arguments: [
      Slip("0660", "a number has no leading zero; write 660, or \"0660\" if text such as permissions is meant"),
      Slip("00", "a number has no leading zero; write 0, or \"00\" if text such as permissions is meant"),
      Slip("-012", "a number has no leading zero; write -12"),
      Slip("03.14", "a number has no leading zero; write 3.14"),
      Slip("0_1", "a number has no leading zero; write 1"),
      Slip("1__0", "an underscore must be between two digits"),
      Slip("_1", "an underscore must be between two digits"),
      Slip("1_e2", "an underscore must be between two digits"),
      Slip("0x_f", "an underscore must be between two digits"),
      Slip("1.", "a point must be between two digits; write 1.0"),
      Slip("-.5", "a point must be between two digits; write -0.5"),
      Slip("1.e5", "a point must be between two digits"),
      Slip("0XFF", "write 0x in small letters"),
      Slip("-0xff", "a number with 0x has no sign"),
      Slip("+-1", "a number has one sign"),
      Slip("0b12", "only binary digits (0 and 1) may follow 0b"),
      Slip("0o", "only octal digits (0-7) may follow 0o"),
      Slip("0xfg", "only hexadecimal digits (0-9, a-f) may follow 0x"),
      Slip("9223372036854775808", range),
      Slip("-9223372036854775809", range),
      Slip("0x8000000000000000", range),
      Slip("Inf", "write inf in small letters"),
      Slip("30s", "text stands in quotes: \"30s\""),
      Slip("64K", "text stands in quotes: \"64K\""),
      Slip("10.0.0.0/8", "text stands in quotes: \"10.0.0.0/8\""),
      Slip("127.0.0.1", "text stands in quotes: \"127.0.0.1\""),
      Slip("1e", "text stands in quotes: \"1e\""),
      Slip("+", "text stands in quotes: \"+\""),
      Slip("1٠", "text stands in quotes: \"1٠\""),
    ])
  func saysWhatIsWrong(slip: Slip) { #expect(fault("a = \(slip.text)") == "1:5: \(slip.fault)") }
}
