using Harepd.Core.Model;
using Xunit;

namespace Harepd.Core.Tests.Model;

public sealed class LsnTests
{
    [Theory]
    [InlineData("0/0", 0UL)]
    [InlineData("0/3000148", 0x3000148UL)]
    [InlineData("16/B374D848", 0x16_B374D848UL)]
    [InlineData("FFFFFFFF/FFFFFFFF", ulong.MaxValue)]
    public void Positions_are_read_and_printed_as_PostgreSQL_prints_them(string text, ulong value)
    {
        Assert.True(Lsn.TryParse(text, out var lsn));
        Assert.Equal(value, lsn.Value);
        Assert.Equal(text, lsn.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("0/")]
    [InlineData("/1")]
    [InlineData("0-1")]
    [InlineData("0/1/2")]
    [InlineData("0/G")]
    [InlineData("100000000/0")]
    [InlineData("0/100000000")]
    [InlineData("-1/0")]
    [InlineData("0x1/0")]
    public void Anything_else_is_not_a_position(string? text)
    {
        Assert.False(Lsn.TryParse(text, out var lsn));
        Assert.Equal(default, lsn);
    }

    [Fact]
    public void The_half_before_the_slash_weighs_more()
    {
        Assert.True(Lsn.TryParse("1/0", out var above));
        Assert.True(Lsn.TryParse("0/FFFFFFFF", out var below));
        Assert.True(above > below && below < above && above >= below && below <= above);
    }

    [Fact]
    public void Unknown_timelines_say_so()
    {
        Assert.True(default(TimelinePoint).IsUnknown);
        Assert.Equal("?", default(TimelinePoint).ToString());
        Assert.Equal("2@0/3000148", Samples.Second.ToString());
        Assert.True(default(SystemId).IsUnknown);
    }
}
