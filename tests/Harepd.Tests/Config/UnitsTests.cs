using Harepd.Config;
using Xunit;

namespace Harepd.Tests.Config;

public sealed class UnitsTests
{
    [Theory]
    [InlineData("3s", 3_000_000, "3s")]
    [InlineData("500ms", 500_000, "500ms")]
    [InlineData("1m", 60_000_000, "1m")]
    [InlineData("60s", 60_000_000, "1m")]
    [InlineData("1.5s", 1_500_000, "1500ms")]
    [InlineData("2h", 7_200_000_000, "2h")]
    [InlineData("250us", 250, "250us")]
    public void Durations_are_read_and_written(string text, long microseconds, string shortest)
    {
        var parsed = Units.Duration(text, TimeSpan.Zero, TimeSpan.FromDays(1));

        Assert.Equal(TimeSpan.FromMicroseconds(microseconds), parsed.Value);
        Assert.Equal(shortest, Units.Text(parsed.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-3s")]
    [InlineData(".5s")]
    [InlineData("5.s")]
    [InlineData("3 s")]
    [InlineData("1.2.3s")]
    [InlineData("3S")]
    [InlineData("99999999999999999999s")]
    [InlineData("999999999999999h")]
    public void Other_durations_are_refused(string text)
    {
        Assert.NotNull(Units.Duration(text, TimeSpan.Zero, TimeSpan.FromDays(1)).Problem);
    }

    [Theory]
    [InlineData("16MB", 16L << 20, "16MB")]
    [InlineData("1024kB", 1L << 20, "1MB")]
    [InlineData("1.5kB", 1536, "1536B")]
    [InlineData("0B", 0, "0B")]
    public void Sizes_are_read_and_written(string text, long bytes, string shortest)
    {
        var parsed = Units.Size(text, 0, long.MaxValue);

        Assert.Equal(bytes, parsed.Value);
        Assert.Equal(shortest, Units.SizeText(bytes));
    }
}
