using System.Text;
using Serilog.Events;

namespace Harepd.Logging;

/// <summary>A stream that stays open: the console.</summary>
internal sealed class StreamDestination(Stream stream, Action<LogEvent, TextWriter> format) : ILogDestination
{
    public void Write(IReadOnlyList<LogEvent> events)
    {
        var text = new StringWriter();
        foreach (var logEvent in events)
        {
            format(logEvent, text);
        }

        stream.Write(Encoding.UTF8.GetBytes(text.ToString()));
        stream.Flush();
    }

    public void Tick()
    {
    }
}

/// <summary>JSON lines in a rolling file.</summary>
internal sealed class FileDestination(RollingFile file) : ILogDestination, IDisposable
{
    public void Write(IReadOnlyList<LogEvent> events)
    {
        var bytes = new MemoryStream();
        foreach (var logEvent in events)
        {
            JsonLine.Write(logEvent, bytes);
        }

        file.Append(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    public void Tick() => file.Tidy();

    public void Dispose() => file.Dispose();
}
