module example.com/hotcell-task-name

go 1.24

require github.com/hotcell/hotcell/guest-sdk/go v0.1.0

replace github.com/hotcell/hotcell/guest-sdk/go => ./sdk
