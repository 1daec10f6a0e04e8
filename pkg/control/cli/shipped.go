package cli

import (
	"citygate/pkg/detect/offline/job"
)

// openShipped opens the rules inside this program.
func (o *opened) openShipped(j *job.Job) error {
	return nil
}
