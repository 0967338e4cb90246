using System.Globalization;
using Serilog.Events;
using Serilog.Parsing;

namespace Harepd.Logging;

/// <summary>An event's message with its values in place. Text stands as it is; Serilog's own rendering puts it into quotes.</summary>
internal static class MessageText
{
    public static string Of(LogEvent logEvent)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        foreach (var token in logEvent.MessageTemplate.Tokens)
        {
            if (token is PropertyToken named && logEvent.Properties.GetValueOrDefault(named.PropertyName) is ScalarValue { Value: string value })
            {
                text.Write(value);
            }
            else
            {
                token.Render(logEvent.Properties, text, CultureInfo.InvariantCulture);
            }
        }

        return text.ToString();
    }
}
