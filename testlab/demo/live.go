package demo

import (
	"os"

	tea "charm.land/bubbletea/v2"
)

// live is the screen on a terminal: a picture that changes.
type live struct{ out *os.File }

func (l live) run(feed <-chan State, interrupt func()) error {
	program := tea.NewProgram(model{interrupt: interrupt}, tea.WithOutput(l.out), tea.WithoutSignalHandler())
	go func() {
		for s := range feed {
			program.Send(s)
		}
		program.Quit()
	}()
	_, err := program.Run()
	return err
}

// model is the live picture: the last state, in the terminal's size.
type model struct {
	state         State
	width, height int
	ending        bool
	interrupt     func()
}

// Init begins with nothing to do.
func (m model) Init() tea.Cmd { return nil }

// Update takes a state, a size, or the wish to end.
func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case State:
		m.state = msg
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		if k := msg.String(); k == "ctrl+c" || k == "q" {
			m.ending = true
			m.interrupt()
		}
	}
	return m, nil
}

// View draws the picture on the whole screen.
func (m model) View() tea.View {
	v := tea.NewView(render(m.state, m.width, m.height, m.ending))
	v.AltScreen = true
	v.WindowTitle = "CityGate demo"
	return v
}
