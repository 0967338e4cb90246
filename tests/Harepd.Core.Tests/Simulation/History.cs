using System.Globalization;
using System.Text;

namespace Harepd.Core.Tests.Simulation;

/// <summary>The last things that happened, kept as they were and put into words only when somebody asks.</summary>
internal sealed class History
{
    private const int Kept = 400;
    private readonly (long Time, string Who, object What)[] _ring = new (long, string, object)[Kept];
    private long _count;

    public void Add(long time, string who, object what) => _ring[_count++ % Kept] = (time, who, what);

    public string Tail(int lines)
    {
        var text = new StringBuilder();
        for (var i = Math.Max(0, _count - Math.Min(lines, Kept)); i < _count; i++)
        {
            var (time, who, what) = _ring[i % Kept];
            text.Append(CultureInfo.InvariantCulture, $"  {time / 1e9,12:F6} {who,-4} {Words.Of(what)}\n");
        }

        return text.ToString();
    }
}
