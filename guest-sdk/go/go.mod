module github.com/hotcell/hotcell/guest-sdk/go

go 1.24
