/// How many tokens a text is, without a tokenizer.
///
/// Counted by kinds of characters: a word of up to 6 letters is one token, with a quarter for each letter beyond and
/// more for letters with marks and for capitals inside; three digits are one; a run of signs is one, with a third for each
/// after the first; a line end, an indentation and a tab cost most of one; other scripts cost so much a character.
///
/// The weights were chosen by what cl100k and o200k (OpenAI) and DeepSeek's tokenizer count of 22 texts. For English prose, source
/// code, JSON, YAML and a table of numbers the estimate is from 7 % below to 19 % above (four bytes a token: 56 % below to
/// 24 % above). For other languages tokenizers differ more than any estimate can follow: German from 22 % below to 3 %
/// below, Chinese from 6 % below to 69 % above, Russian from 13 % below to 56 % above, Hindi from 31 % below to 130 % above, Arabic from
/// 28 % below to 56 % above. Give ``ContextGuard`` your provider's own counter where that matters.
public enum TokenEstimate {
    /// About how many tokens `text` is; 0 for an empty one.
    ///
    /// One pass, some 5 ns a byte, nothing allocated.
    public static func tokens(in text: String) -> Int {
        var meter = Meter()
        for scalar in text.unicodeScalars { meter.take(scalar.value) }
        return (meter.hundredths + 99) / 100
    }

    private enum Kind {
        case letter, digit, sign, lineEnd, blank, other
    }

    /// Counts in hundredths of a token.
    private struct Meter {
        private(set) var hundredths = 0
        private var kind = Kind.other
        private var length = 0
        private var wasCapital = false

        mutating func take(_ scalar: UInt32) {
            let next = Self.kind(scalar)
            length = next == kind && next != .other ? length + 1 : 1
            kind = next
            switch next {
            case .letter:
                let isCapital = scalar >= 65 && scalar <= 90
                if length == 1 { hundredths += 100 } else if length > 6 { hundredths += 25 }
                if length > 1, isCapital, !wasCapital { hundredths += 60 }
                if scalar > 127 { hundredths += 80 }
                wasCapital = isCapital
            case .digit: if length % 3 == 1 { hundredths += 110 }
            case .sign: hundredths += length == 1 ? 90 : 35
            case .lineEnd: if length == 1 { hundredths += 70 }
            case .blank:
                // The one blank before a word belongs to it.
                if scalar == 9 { hundredths += 100 } else if length == 2 { hundredths += 70 }
            case .other: hundredths += Self.weight(scalar)
            }
        }

        private static func kind(_ scalar: UInt32) -> Kind {
            switch scalar {
            case 97...122, 65...90, 0xC0..<0x250, 0x1E00..<0x1F00: .letter
            case 48...57: .digit
            case 10, 13: .lineEnd
            case 9, 32: .blank
            case 0..<128: .sign
            default: .other
            }
        }

        private static func weight(_ scalar: UInt32) -> Int {
            switch scalar {
            // Greek and Cyrillic.
            case 0x370..<0x530: 45
            // Hebrew and Arabic.
            case 0x530..<0x900: 60
            // Kana, Han, Hangul.
            case 0x3040..<0x3100: 90
            case 0x3400..<0xA000, 0xF900..<0xFB00, 0x20000..<0x30000: 105
            case 0xAC00..<0xD7B0: 115
            // Punctuation of print and of East Asia.
            case 0x80..<0xC0, 0x2000..<0x2070, 0x2190..<0x2600, 0x3000..<0x3040, 0xFF00..<0xFF60: 100
            // The scripts of India and South-East Asia.
            case 0x900..<0x1E00, 0xA000..<0xAC00: 80
            default: 200
            }
        }
    }
}
