extension AnswerCheck {
    /// There is more in the text than blanks.
    public static func notEmpty(_ text: @escaping @Sendable (Answer) -> String) -> AnswerCheck {
        AnswerCheck("not_empty") { answer in
            let isEmpty = text(answer).unicodeScalars.allSatisfy(\.properties.isWhitespace)
            return isEmpty ? .failed("the answer is empty") : .passed
        }
    }

    /// The text has so many characters (Unicode scalars).
    public static func length(
        _ range: ClosedRange<Int>, _ text: @escaping @Sendable (Answer) -> String
    ) -> AnswerCheck {
        AnswerCheck("length") { answer in
            let count = text(answer).unicodeScalars.count
            return range.contains(count)
                ? .passed
                : .failed("\(count) characters, but must be \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// The model ended by itself, and was not cut off.
    ///
    /// - Parameters:
    ///   - accepted: The reasons that will do; by default those of OpenAI's and Anthropic's interfaces for an answer that is whole.
    ///   - reason: The answer's finish reason; nil: it has none, which will not do.
    public static func finished(
        accepted: Set<String> = ["stop", "tool_calls", "function_call", "end_turn", "stop_sequence", "tool_use"],
        _ reason: @escaping @Sendable (Answer) -> String?
    ) -> AnswerCheck {
        AnswerCheck("finished") { answer in
            guard let reason = reason(answer) else { return .failed("no finish reason") }
            return accepted.contains(reason) ? .passed : .failed("finish reason \(reason)")
        }
    }

    /// The whole text is one JSON object (RFC 8259), with nothing but blanks around it, up to 128 levels deep.
    ///
    /// It says nothing of the fields in it.
    public static func jsonObject(_ text: @escaping @Sendable (Answer) -> String) -> AnswerCheck {
        AnswerCheck("json_object") { answer in
            JSONSyntax.isObject(text(answer)) ? .passed : .failed("not a JSON object")
        }
    }
}
