using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Serilog.Events;

namespace Harepd.Logging;

/// <summary>
/// One event as one line of JSON: <c>time</c> (UTC, microseconds), <c>level</c>, <c>event</c> and <c>name</c> where the event has an id,
/// <c>source</c>, <c>message</c>, then the event's own values in camel case, then <c>exception</c>.
/// </summary>
internal static class JsonLine
{
    private const int MaxDepth = 4;
    private static readonly string[] Reserved = ["time", "level", "event", "name", "source", "message", "exception"];
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Appends the line, its line feed included.</summary>
    public static void Write(LogEvent logEvent, Stream output)
    {
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", LevelName(logEvent.Level));
            WriteEventId(json, logEvent);
            if (logEvent.Properties.TryGetValue("SourceContext", out var source) && source is ScalarValue { Value: string name })
            {
                json.WriteString("source", name);
            }

            json.WriteString("message", MessageText.Of(logEvent));
            foreach (var (key, value) in logEvent.Properties.Where(property => property.Key is not ("EventId" or "SourceContext")))
            {
                json.WritePropertyName(NameOf(key));
                WriteValue(json, value, 0);
            }

            if (logEvent.Exception is { } exception)
            {
                json.WriteString("exception", exception.ToString());
            }

            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
    }

    private static string LevelName(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal => "fatal",
        LogEventLevel.Error => "error",
        LogEventLevel.Warning => "warning",
        LogEventLevel.Information => "info",
        _ => "debug",
    };

    private static void WriteEventId(Utf8JsonWriter json, LogEvent logEvent)
    {
        if (logEvent.Properties.GetValueOrDefault("EventId") is not StructureValue structure)
        {
            return;
        }

        foreach (var property in structure.Properties)
        {
            json.WritePropertyName(property.Name == "Id" ? "event" : "name");
            WriteValue(json, property.Value, 0);
        }
    }

    private static string NameOf(string key)
    {
        var name = char.ToLowerInvariant(key[0]) + key[1..];
        return Reserved.Contains(name, StringComparer.Ordinal) ? name + "_" : name;
    }

    private static void WriteValue(Utf8JsonWriter json, LogEventPropertyValue value, int depth)
    {
        switch (value)
        {
            case ScalarValue { Value: var scalar }:
                WriteScalar(json, scalar);
                break;
            case SequenceValue sequence when depth < MaxDepth:
                json.WriteStartArray();
                foreach (var element in sequence.Elements)
                {
                    WriteValue(json, element, depth + 1);
                }

                json.WriteEndArray();
                break;
            default:
                json.WriteStringValue(value.ToString(null, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static void WriteScalar(Utf8JsonWriter json, object? scalar)
    {
        switch (scalar)
        {
            case null:
                json.WriteNullValue();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case byte or sbyte or short or ushort or int or uint or long:
                json.WriteNumberValue(Convert.ToInt64(scalar, CultureInfo.InvariantCulture));
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            default:
                json.WriteStringValue(Convert.ToString(scalar, CultureInfo.InvariantCulture));
                break;
        }
    }
}
